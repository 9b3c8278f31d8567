import assert from "node:assert/strict";
import { test } from "node:test";
import { applies, readout } from "../../workbench/panels/js/field.js";

for (const [field, value, text] of [
  [{ percent: true, unit: " %" }, 0.5, "50 %"],
  [{ percent: true, unit: " %" }, 0.1234, "12.3 %"],
  [{ percent: true, unit: " %" }, 0.29, "29 %"],
  [{ percent: false, unit: "" }, 8, "8"],
]) {
  test(`${value} reads "${text}"`, () => assert.equal(readout(field, value), text));
}

for (const [condition, expected] of [
  [null, true],
  [["quantize.bits", [16]], false],
  [["quantize.bits", [4, 8]], true],
  [["unknown", ["x"]], false],
]) {
  test(`a field with the condition ${JSON.stringify(condition)}`, () =>
    assert.equal(applies({ visible_if: condition }, { "quantize.bits": 8 }), expected));
}
