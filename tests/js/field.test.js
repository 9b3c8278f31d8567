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

const GATE = { key: "quantize.bits", off: 32, layers: "quantize.layers" };

for (const [name, values, expected] of [
  ["is off", { "quantize.bits": 32, "quantize.layers": {} }, false],
  ["is on", { "quantize.bits": 4, "quantize.layers": {} }, true],
  ["has another value", { "quantize.bits": 16, "quantize.layers": {} }, false],
  ["is set for a layer", { "quantize.bits": 32, "quantize.layers": { fc: 4 } }, true],
]) {
  test(`a field of a part that ${name}`, () =>
    assert.equal(applies({ gate: GATE, visible_if: ["quantize.bits", [4, 8]] }, values), expected));
}
