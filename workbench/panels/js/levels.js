// @ts-check
// The level of the page, start, explore or everything: how many settings it shows. The level is part of
// the URL, like the theme, and changes no recipe.

import { getKey, setKey } from "./address.js";
import { h } from "./dom.js";
import { radios } from "./field.js";

/** @import { Level, Page } from "./types" */

/** @type {Level[]} */
export const LEVELS = ["start", "explore", "everything"];

// Whether a setting of one level is shown at another.
/** @type {(level: Level, at: Level) => boolean} */
export const isShown = (level, at) => LEVELS.indexOf(level) <= LEVELS.indexOf(at);

export class LevelSwitch {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    const saved = getKey("level");
    this.level = LEVELS.find((level) => level === saved) ?? "start";
    this.node = h("div", { className: "levels" });
  }

  /** @param {Page} page */
  build({ labels, settings }) {
    const switching = radios(labels.level, settings.levels, (level) => this.select(level));
    this.show = switching.show;
    this.show(this.level);
    this.node.replaceChildren(switching.node);
  }

  /** @param {Level} level */
  select(level) {
    this.level = level;
    setKey("level", level);
    this.show?.(level);
    this.onChange();
  }
}
