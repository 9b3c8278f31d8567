// @ts-check
// Which file each uploaded model was made of, with the choices of the user: the browser stores it for the
// session of the tab, so that a reload, which ends the kernel and its models, can ask for the file by name.

const KEY = "workbench-files";

/** @typedef {{ file: string, choices: object }} UploadedFile */

/** @returns {Record<string, UploadedFile>} */
function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return {}; // the browser allows no storage, or the text is of another program
  }
}

/** @type {(model: string, file: string, choices: object) => void} */
export function rememberFile(model, file, choices) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...stored(), [model]: { file, choices } }));
  } catch {
    // without storage, a reload asks for "the file" instead of its name
  }
}

/** @type {(model: string) => UploadedFile | null} */
export function fileOf(model) {
  return stored()[model] ?? null;
}
