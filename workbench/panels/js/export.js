// @ts-check
// Saving files and copying text.

import { h, setText } from "./dom.js";

/** @import { Status } from "./status.js" */
/** @import { Labels } from "./types" */

/** @type {(blob: Blob, name: string) => void} */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * @param {Labels} labels
 * @param {() => string} text
 * @param {Status} status
 * @param {string} className
 * @param {string} label
 */
export function copyButton(labels, text, status, className, label = labels.copy) {
  const button = h("button", { type: "button", className, text: label });
  button.addEventListener("click", async () => {
    if (!(await copy(text()))) return status.showMessage(labels.copy_failed);
    button.textContent = labels.copied;
    setTimeout(() => setText(button, label), 1500);
  });
  return button;
}

// Uses the clipboard API, or a text area where the API is not available (pages over http).
/** @type {(text: string) => Promise<boolean>} */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { value: text, className: "off-screen" });
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
