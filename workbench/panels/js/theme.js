// @ts-check
// The theme is that of the address, else of the surroundings; a button overrides it.

import { isStandalone, setKey } from "./address.js";
import { themeOf, watchTheme } from "./surroundings.js";

/** @import { Channel } from "./channel.js" */
/** @typedef {{ current(): "dark" | "light", toggle(): void, close(): void }} Theme */

/** @type {(root: HTMLElement, channel: Channel) => Theme} */
export function createTheme(root, channel) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {string | null} */
  let override = isStandalone() ? new URLSearchParams(location.search).get("theme") : null;
  /** @returns {"dark" | "light"} */
  const current = () => {
    if (override === "dark" || override === "light") return override;
    if (isStandalone()) return system.matches ? "dark" : "light";
    return themeOf(document.body, system);
  };
  const apply = (notify = true) => {
    const theme = current();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    if (isStandalone()) document.documentElement.dataset.theme = theme;
    if (notify) channel.act("theme", { theme });
  };
  apply(false);
  const stopWatching = watchTheme(() => apply());
  return {
    current,
    toggle() {
      const next = current() === "dark" ? "light" : "dark";
      override = next;
      setKey("theme", next);
      apply();
    },
    close: stopWatching,
  };
}
