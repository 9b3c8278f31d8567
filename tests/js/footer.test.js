// What is said of a saved file goes as soon as another file is on the screen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Footer } from "../../workbench/panels/js/footer.js";

const footer = () => {
  const saved = {
    selected: "",
    open: false,
    show(message) {
      this.selected = message.selected;
      this.open = true;
    },
    close() {
      this.open = false;
    },
  };
  return Object.assign(Object.create(Footer.prototype), { saved, shown: undefined });
};

test("the panel of a saved file goes with its file", () => {
  const shown = footer();
  shown.show({ selected: "a" });
  shown.showSaved({ selected: "a" });
  shown.show({ selected: "a" });
  assert.equal(shown.saved.open, true);
  shown.show({ selected: "b" });
  assert.equal(shown.saved.open, false);
  shown.showSaved({ selected: "a" }); // its measurement on the test split ends later
  assert.equal(shown.saved.open, false);
});
