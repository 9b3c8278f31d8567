// Ranges that are dragged on the axes of parallel coordinates.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brushOf, withAxes, withBrushes } from "../../workbench/panels/js/chart.js";

test("a range that was dragged is that of the axis with its name", () => {
  const dimensions = [{ label: "size" }, { name: "quantize.bits", label: "bits" }];
  assert.deepEqual(brushOf({ "dimensions[1].constraintrange": [[0.6, 2.4]] }, dimensions), {
    field: "quantize.bits",
    range: [0.6, 2.4],
  });
  assert.deepEqual(brushOf({ "dimensions[1].constraintrange": null }, dimensions), {
    field: "quantize.bits",
    range: null,
  });
  assert.equal(brushOf({ "dimensions[0].constraintrange": [[1, 2]] }, dimensions), null);
  assert.equal(brushOf({ "line.color": ["red"] }, dimensions), null);
});

test("a new figure keeps the ranges of axes that only it has, by their labels", () => {
  const before = [
    { label: "size", constraintrange: [1, 2] },
    { name: "quantize.bits", label: "bits", constraintrange: [0, 1] },
  ];
  const figure = [
    {
      dimensions: [
        { name: "prune.sparsity", label: "sparsity" },
        { name: "quantize.bits", label: "bits" },
        { label: "size" },
      ],
    },
    { x: [1] },
  ];
  const [trace, other] = withBrushes(figure, before, 7);
  assert.deepEqual(
    trace.dimensions?.map(({ label, constraintrange }) => [label, constraintrange]),
    [
      ["sparsity", undefined],
      ["bits", undefined],
      ["size", [1, 2]],
    ],
  );
  assert.equal(trace.uirevision, 7);
  assert.deepEqual(other, { x: [1] });
});

test("the axes of a saved picture have the color of the theme", () => {
  const saved = withAxes('<svg width="10"><g class="axis"></g></svg>', "#a3a9b5");
  assert.match(saved, /^<svg width="10"><style>[^<]*stroke: #a3a9b5[^<]*<\/style><g class="axis">/);
});
