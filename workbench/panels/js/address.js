// @ts-check
// The URL of the page holds its state, so that it survives a reload and a lost kernel.
// Where the page is embedded, as in JupyterLab, the URL is not changed.

export const isStandalone = () => document.getElementById("workbench-plotly") !== null;

const VIEW_KEYS = ["theme", "lang", "token", "page", "level", "tour"]; // how the state is shown, not part of it

export function search() {
  if (!isStandalone()) return "";
  const params = new URLSearchParams(location.search);
  for (const key of VIEW_KEYS) params.delete(key);
  return params.size ? location.search : "";
}

const SAVE_DELAY = 300; // ms without a change before the URL is updated, which costs a frame
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pending;

// During a tour the URL keeps the state before it, which the end of the tour or a reload restores.
/** @type {(query: string) => void} */
export function saveState(query) {
  if (!isStandalone() || getKey("tour")) return;
  clearTimeout(pending);
  pending = setTimeout(() => history.replaceState(null, "", address(query)), SAVE_DELAY);
}

/** @type {(query: string) => string} */
export function address(query) {
  const params = new URLSearchParams(location.search);
  const keys = VIEW_KEYS.filter((key) => params.has(key) && key !== "token");
  const retained = keys.map((key) => `${key}=${params.get(key)}`);
  return `${location.pathname}?${[query, ...retained].filter(Boolean).join("&")}`;
}

// The value of a view key in the address, or null.
/** @type {(key: string) => string | null} */
export function getKey(key) {
  return isStandalone() ? new URLSearchParams(location.search).get(key) : null;
}

// The values of the view keys that have a list of allowed ones; null for those that the address does not have.
/** @type {() => Record<string, string | null>} */
export function viewValues() {
  return Object.fromEntries(["level", "theme", "tour", "lang"].map((key) => [key, getKey(key)]));
}

// Sets a view key in the address, or removes it; `step` adds a step to the history of the browser.
/** @type {(key: string, value: string | null, step?: boolean) => void} */
export function setKey(key, value, step = false) {
  if (!isStandalone()) return;
  const pairs = location.search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair && !pair.startsWith(`${key}=`));
  if (value !== null) pairs.push(`${key}=${value}`);
  const url = `${location.pathname}?${pairs.join("&")}`;
  if (step) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}
