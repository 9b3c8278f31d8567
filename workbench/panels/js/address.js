// @ts-check
// The URL of the page holds its state, so that it survives a reload and a lost kernel.
// Where the page is embedded, as in JupyterLab, the URL is not changed.

export const isStandalone = () => document.getElementById("workbench-plotly") !== null;

const PAGE_KEYS = ["theme", "lang", "token"]; // not part of the state

export function search() {
  if (!isStandalone()) return "";
  const params = new URLSearchParams(location.search);
  for (const key of PAGE_KEYS) params.delete(key);
  return params.size ? location.search : "";
}

const SAVE_DELAY = 300; // ms without a change before the URL is updated, which costs a frame
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pending;

/** @type {(query: string) => void} */
export function saveState(query) {
  if (!isStandalone()) return;
  clearTimeout(pending);
  pending = setTimeout(() => history.replaceState(null, "", address(query)), SAVE_DELAY);
}

/** @type {(query: string) => string} */
export function address(query) {
  const params = new URLSearchParams(location.search);
  const keys = PAGE_KEYS.filter((key) => params.has(key) && key !== "token");
  const retained = keys.map((key) => `${key}=${params.get(key)}`);
  return `${location.pathname}?${[query, ...retained].filter(Boolean).join("&")}`;
}

/** @type {(theme: "dark" | "light") => void} */
export function setTheme(theme) {
  if (!isStandalone()) return;
  const pairs = location.search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair && !pair.startsWith("theme="));
  history.replaceState(null, "", `${location.pathname}?${[...pairs, `theme=${theme}`].join("&")}`);
}
