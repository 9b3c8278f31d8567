import assert from "node:assert/strict";
import { test } from "node:test";
import { withLabels } from "../../workbench/panels/js/label_room.js";
import { currentBoxes, studentLabels } from "../../workbench/panels/js/live_layer.js";
import { boxAt, overlap } from "../../workbench/panels/js/text_boxes.js";

const LABEL = { mode: "markers+text" };
const ORIGINAL = { ...LABEL, name: "original", x: [1e6], y: [0.9], text: ["original"], textposition: "top center" };
const PRESETS = {
  ...LABEL,
  name: "presets",
  x: [4e5, 3e5, 6e4],
  y: [0.89, 0.85, 0.5],
  text: ["8 bits", "half pruned", ""],
  textposition: ["top center", "bottom center", "top center"],
  customdata: ["8 bits", "half pruned", "small"].map((label) => ({ label })),
};
const LAYOUT = { xaxis: { type: "log", range: [4, 6.2] }, yaxis: { range: [0, 1] } };
const MARGINS = { left: 84, right: 24, top: 12, bottom: 48 };

const frame = (width, height = 300) => ({ width, height, ...MARGINS });

// The boxes of all labels that are shown, from the traces alone.
function boxes(data, { width, height, left, right, top, bottom }) {
  return data.flatMap(({ x, y, text, textposition }) =>
    x.flatMap((value, index) => {
      if (!text[index]) return [];
      const across = left + ((Math.log10(value) - 4) / 2.2) * (width - left - right);
      const up = height - bottom - y[index] * (height - top - bottom);
      return [boxAt(across, up, text[index], textposition[index])];
    }),
  );
}

for (const width of [220, 232, 260, 290, 320, 390, 600, 1200]) {
  test(`no labels overlap in a chart of ${width} px`, () => {
    const { data } = withLabels([ORIGINAL, PRESETS], LAYOUT, frame(width));
    const shown = boxes(data, frame(width));
    assert.ok(shown.length > 0);
    for (const [index, one] of shown.entries()) {
      for (const other of shown.slice(index + 1)) assert.equal(overlap(one, other), false);
    }
    assert.deepEqual(data[0].text, ["original"]);
  });
}

test("a wide chart shows the labels that have no room on a phone", () => {
  const { data } = withLabels([ORIGINAL, PRESETS], LAYOUT, frame(1200, 500));
  assert.deepEqual(data[1].text, ["8 bits", "half pruned", "small"]);
  assert.deepEqual(data[1].textposition.slice(0, 2), PRESETS.textposition.slice(0, 2));
});

test("a label is left out where something else is drawn on all sides", () => {
  const all = { left: 0, right: 400, top: 0, bottom: 300 };
  const { data } = withLabels([ORIGINAL, PRESETS], LAYOUT, frame(400), [all]);
  assert.deepEqual([data[0].text, data[1].text], [[""], ["", "", ""]]);
});

test("a text at the edge of the goal is left out where it would cover the original", () => {
  const note = { xref: "paper", x: 1, xanchor: "right", y: 0.9, yanchor: "bottom", text: "≥ 80 %" };
  const layout = { ...LAYOUT, annotations: [note, { ...note, y: 0.2 }] };
  const { annotations } = withLabels([ORIGINAL], layout, frame(300));
  assert.deepEqual(
    annotations.map(({ y }) => y),
    [0.2],
  );
});

test("a text at the limit of the size moves up where it would cover a label", () => {
  const note = { x: 6, xanchor: "right", y: 0, yref: "paper", yanchor: "bottom", text: "> 1 MB" };
  const low = { ...ORIGINAL, y: [0.02], textposition: "middle left" };
  const { data, annotations } = withLabels([low], { ...LAYOUT, annotations: [note] }, frame(600));
  const [label] = boxes(data, frame(600));
  assert.ok(300 - MARGINS.bottom - annotations[0].yshift <= label.top + 2);
  assert.deepEqual(withLabels([ORIGINAL], { ...LAYOUT, annotations: [note] }, frame(600)).annotations, [note]);
});

test("a figure without labels or without ends of its axes is unchanged", () => {
  const lines = { mode: "lines", x: [1, 2], y: [3, 4] };
  const annotations = [{ text: "1", x: 0, y: 0 }];
  const unchanged = (data) => ({ data: [data], annotations, labels: [] });
  assert.deepEqual(withLabels([lines], { ...LAYOUT, annotations }, frame(260)), unchanged(lines));
  const layout = { xaxis: {}, yaxis: {}, annotations };
  assert.deepEqual(withLabels([PRESETS], layout, frame(260)), unchanged(PRESETS));
});

test("of two students at one place, one has a label on each side; of two of one kind, only the first", () => {
  const view = { ...frame(300), x: [4, 6], y: [0, 1] };
  const [student, alone, again] = ["student", "alone", "student"].map((kind) => ({
    kind,
    label: "T = 4",
    x: 5,
    y: 0.5,
  }));
  const labeled = (...marks) => [...studentLabels(view, { you: null, marks }, "you").keys()];
  assert.deepEqual(labeled(student, alone), [student, alone]);
  assert.deepEqual(labeled(student, again), [student]);
});

for (const width of [210, 260, 320])
  test(`a long label stays inside a chart of ${width} px`, () => {
    const nearest = { ...LABEL, name: "you", x: [2e4], y: [0.05], text: ["nearest to the limits"] };
    const { data } = withLabels([ORIGINAL, nearest], LAYOUT, frame(width));
    assert.equal(data[1].text[0].replace("<br>", " "), nearest.text[0]);
    const [, label] = boxes(data, frame(width));
    assert.ok(label.left >= MARGINS.left && label.right <= width && label.bottom <= 300 - MARGINS.bottom);
  });

test("a label keeps away from the edges of the goal", () => {
  const { height, top, bottom } = frame(1200, 500);
  for (let distance = 6; distance < 22; distance += 1) {
    const edge = 0.85 - distance / (height - top - bottom);
    const shapes = [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: edge, y1: edge }];
    const { data } = withLabels([PRESETS], { ...LAYOUT, shapes }, frame(1200, 500));
    const [, label] = boxes([{ ...data[0], x: PRESETS.x.slice(0, 2) }], frame(1200, 500));
    const line = height - bottom - edge * (height - top - bottom);
    assert.ok(label.bottom <= line - 2 || label.top >= line + 2, `${distance} px`);
  }
});

test("the label of the current point covers no other point where the other side is free", () => {
  const view = { ...frame(390), x: [4, 6.2], y: [0, 1] };
  const you = { x: 5, y: 0.5, low: 0.5, high: 0.5, exact: true };
  const [point, label] = currentBoxes(view, you, "you");
  assert.ok(label.left > point.right);
  const [, other] = currentBoxes({ ...view, marks: [label] }, you, "you");
  assert.ok(other.right < point.left);
  const [, below] = currentBoxes({ ...view, marks: [label, other] }, you, "you");
  assert.ok(below.top > point.bottom - 1);
  const [, above] = currentBoxes({ ...view, marks: [label, other, below] }, you, "you");
  assert.ok(above.bottom < point.top);
  const all = [label, other, below, above];
  assert.deepEqual(currentBoxes({ ...view, marks: all }, you, "you")[1], label);
  assert.equal(currentBoxes({ ...view, labels: all }, you, "you").length, 1);
});

for (const [side, expected] of [
  ["top center", { left: 96.4, right: 103.6, top: 76.775, bottom: 91.975 }],
  ["bottom center", { left: 96.4, right: 103.6, top: 105.525, bottom: 120.725 }],
  ["middle left", { left: 84.925, right: 92.125, top: 91.15, bottom: 106.35 }],
  ["middle right", { left: 107.875, right: 115.075, top: 91.15, bottom: 106.35 }],
]) {
  test(`a label at the ${side} is where plotly draws it`, () => {
    const box = boxAt(100, 100, "x", side, 5.5);
    for (const [edge, value] of Object.entries(expected)) assert.ok(Math.abs(box[edge] - value) < 0.01, edge);
  });
}
