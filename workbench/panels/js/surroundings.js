// @ts-check
// The theme of the page around a widget: that of JupyterLab or of an editor, else of the system.

/** @typedef {"dark" | "light"} ThemeName */

/** @type {(body: HTMLElement, system: { matches: boolean }) => ThemeName} */
export function themeOf(body, system) {
  const lab = body.dataset.jpThemeLight;
  const editor = body.dataset.vscodeThemeKind;
  if (lab) return lab === "true" ? "light" : "dark";
  if (editor) return editor.endsWith("light") ? "light" : "dark";
  return system.matches ? "dark" : "light";
}

// Calls `onTheme` now and after every change. Returns a function that stops watching.
/** @type {(onTheme: (theme: ThemeName) => void) => () => void} */
export function watchTheme(onTheme) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const update = () => onTheme(themeOf(document.body, system));
  const observer = new MutationObserver(update);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  system.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", update);
  };
}
