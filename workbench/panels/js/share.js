// Taking things away from the page: files and text.

import { h } from "./dom.js";

export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function copyButton(words, text, status, className, label = words.copy) {
  const button = h("button", { type: "button", className, text: label });
  button.addEventListener("click", async () => {
    if (!(await copy(text()))) return status.tell(words.copy_failed);
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = label), 1500);
  });
  return button;
}

// The clipboard of the browser, or the old way where a page may not use it (plain http).
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { value: text, className: "off-screen" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
