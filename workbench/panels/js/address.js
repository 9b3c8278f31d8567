// The page's own address holds its state, so that a reload, and a kernel that died, lose nothing.
// Inside JupyterLab and elsewhere the address is not ours and stays as it is.

export const ownAddress = () => document.getElementById("workbench-plotly") !== null;

const OURS = ["theme", "lang", "token"]; // these stay when the state changes

export function search() {
  if (!ownAddress()) return "";
  const asked = new URLSearchParams(location.search);
  OURS.forEach((key) => asked.delete(key));
  return asked.size ? location.search : "";
}

const CALM = 300; // ms without a change, after which the address is written: it costs a frame
let pending = 0;

export function keep(query) {
  if (!ownAddress()) return;
  clearTimeout(pending);
  pending = setTimeout(() => history.replaceState(null, "", address(query)), CALM);
}

export function address(query) {
  const asked = new URLSearchParams(location.search);
  const kept = OURS.filter((key) => asked.has(key) && key !== "token").map((key) => `${key}=${asked.get(key)}`);
  return `${location.pathname}?${[query, ...kept].filter(Boolean).join("&")}`;
}

export function setTheme(theme) {
  if (!ownAddress()) return;
  const asked = location.search.replace(/^\?/, "").split("&").filter((pair) => pair && !pair.startsWith("theme="));
  history.replaceState(null, "", `${location.pathname}?${[...asked, `theme=${theme}`].join("&")}`);
}
