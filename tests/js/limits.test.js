import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf } from "../../workbench/panels/js/limits.js";

const typed = (value, badInput = false) => ({ value, validity: { badInput } });
const share = { above: 0, most: 100 };

for (const [input, bounds, expected] of [
  [typed(""), share, null],
  [typed(""), { ...share, required: true }, undefined],
  [typed("", true), share, undefined], // text, which such an input does not pass on
  [{ value: "20.000", validity: { badInput: false, customError: true } }, share, undefined],
  [typed("85.5"), share, 85.5],
  [typed("100"), share, 100],
  [typed("100.1"), share, undefined],
  [typed("0"), share, undefined],
  [typed("-5"), share, undefined],
  [typed("-5"), { above: null, most: null }, -5],
  [typed("0"), { least: 0, most: 9 }, 0],
  [typed("-0.1"), { least: 0, most: 9 }, undefined],
  [typed("2.5"), { least: 0, most: 9 }, 2.5],
  [typed("2.5"), { least: 0, most: 9, integer: true }, undefined],
  [typed("2"), { least: 0, most: 9, integer: true }, 2],
  [typed("1e400"), { above: null, most: null }, undefined],
])
  test(`${JSON.stringify(input)} in ${JSON.stringify(bounds)} is ${expected}`, () =>
    assert.equal(numberOf(input, bounds), expected));
