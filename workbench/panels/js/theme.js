// @ts-check
// The theme is that of the address, else of JupyterLab, else of the system; a button overrides it.

import { isStandalone, setKey } from "./address.js";

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
    const lab = document.body.dataset.jpThemeLight;
    if (lab && !isStandalone()) return lab === "true" ? "light" : "dark";
    return system.matches ? "dark" : "light";
  };
  const apply = (notify = true) => {
    const theme = current();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    if (isStandalone()) document.documentElement.dataset.theme = theme;
    if (notify) channel.act("theme", { theme });
  };
  const update = () => apply();
  const lab = new MutationObserver(update);
  lab.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", update);
  apply(false);
  return {
    current,
    toggle() {
      const next = current() === "dark" ? "light" : "dark";
      override = next;
      setKey("theme", next);
      apply();
    },
    close() {
      lab.disconnect();
      system.removeEventListener("change", update);
    },
  };
}
