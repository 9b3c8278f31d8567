import assert from "node:assert/strict";
import { test } from "node:test";
import { withLabels } from "../../workbench/panels/js/label_room.js";
import { currentBoxes, studentLabels, withTrail } from "../../workbench/panels/js/live_layer.js";
import { crosses, obstaclesOf } from "../../workbench/panels/js/obstacles.js";
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
      if (!text[index].trim()) return [];
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
  assert.deepEqual([data[0].text, data[1].text], [[" "], [" ", " ", " "]]); // plotly.js draws "" never again
});

// The box of a text at a limit of the goal, as plotly draws it.
function noteBox({ x, xanchor, xref, xshift = 0, y, yanchor, yref, yshift = 0, text }, size) {
  const { width, height, left, right, top, bottom } = size;
  const [wide, tall] = [width - left - right, height - top - bottom];
  const across = left + (xref === "paper" ? x : (x - 4) / 2.2) * wide + xshift;
  const up = height - bottom - y * tall - yshift; // the axis is that of the paper
  assert.ok(yref === "paper" || !yref);
  const start = xanchor === "left" ? across : across - 7.2 * text.length - 2;
  const above = yanchor === "top" ? up : up - 17.2;
  return { left: start, right: start + 7.2 * text.length + 2, top: above, bottom: above + 17.2 };
}

test("a text at the edge of the goal moves to another side of its line where it would cover the original", () => {
  const note = { xref: "paper", x: 1, xanchor: "right", y: 0.9, yanchor: "bottom", text: "≥ 80 %" };
  const place = (...notes) => withLabels([ORIGINAL], { ...LAYOUT, annotations: notes }, frame(300));
  const { data, annotations } = place(note);
  const [label] = boxes(data, frame(300));
  assert.ok(overlap(noteBox(note, frame(300)), label));
  assert.equal(annotations.length, 1);
  assert.equal(overlap(noteBox(annotations[0], frame(300)), label), false);
  assert.deepEqual(place({ ...note, y: 0.2 }).annotations, [{ ...note, y: 0.2 }]);
});

test("a text at the limit of the size moves where it would cover a label, and is left out without room", () => {
  const note = {
    x: 6,
    xanchor: "right",
    xshift: -2,
    y: 0,
    yshift: 0,
    yref: "paper",
    yanchor: "bottom",
    text: "> 1 MB",
  };
  const low = { ...ORIGINAL, y: [0.02], textposition: "middle left" };
  const { data, annotations } = withLabels([low], { ...LAYOUT, annotations: [note] }, frame(600));
  const [label] = boxes(data, frame(600));
  assert.equal(overlap(noteBox(annotations[0], frame(600)), label), false);
  assert.deepEqual(withLabels([ORIGINAL], { ...LAYOUT, annotations: [note] }, frame(600)).annotations, [note]);
  const all = { left: 0, right: 600, top: 100, bottom: 300 };
  assert.deepEqual(withLabels([ORIGINAL], { ...LAYOUT, annotations: [note] }, frame(600), [all]).annotations, []);
});

test("no label is below the grip of a limit", () => {
  const grip = 84 + ((Math.log10(3e5) - 4) / 2.2) * (600 - 84 - 24);
  const shapes = [{ type: "line", yref: "paper", x0: 3e5, x1: 3e5, y0: 0, y1: 1 }];
  for (const y of [0.9, 0.93, 0.96, 0.99]) {
    const near = { ...PRESETS, x: [3.6e5], y: [y], text: ["8 bits"], customdata: [{ label: "8 bits" }] };
    const layout = { ...LAYOUT, shapes, meta: { limits: [] } };
    const { data } = withLabels([near], layout, frame(600));
    for (const box of boxes(data, frame(600))) {
      const at = { left: grip - 4, right: grip + 4, top: MARGINS.top - 4, bottom: MARGINS.top + 12 };
      assert.equal(overlap(box, at), false, String(y));
    }
  }
});

test("the texts of both limits stand apart where their lines meet", () => {
  const size = { x: 5, xanchor: "right", y: 0, yref: "paper", yanchor: "bottom", text: "goal ≤ 100 kB" };
  const metric = { xref: "paper", x: 0, xanchor: "left", y: 0.01, yanchor: "bottom", text: "goal ≥ 20 %" };
  for (const width of [320, 390, 460, 600, 900]) {
    const layout = { ...LAYOUT, annotations: [size, metric] };
    const { annotations } = withLabels([ORIGINAL], layout, frame(width));
    const [one, other] = annotations.map((note) => noteBox(note, frame(width)));
    const isInLine = one.bottom > other.top && other.bottom > one.top;
    assert.ok(!isInLine || Math.max(one.left, other.left) - Math.min(one.right, other.right) >= 20, `${width} px`);
  }
});

test("a figure without labels or without ends of its axes is unchanged", () => {
  const lines = { mode: "lines", x: [1, 2], y: [3, 4] };
  const annotations = [{ text: "1", x: 0, y: 0 }];
  const unchanged = (data) => ({ data: [data], annotations, labels: [] });
  assert.deepEqual(withLabels([lines], { ...LAYOUT, annotations }, frame(260)), unchanged(lines));
  const layout = { xaxis: {}, yaxis: {}, annotations };
  assert.deepEqual(withLabels([PRESETS], layout, frame(260)), unchanged(PRESETS));
});

const STUDENTS = { ...frame(300), x: [4, 6], y: [0, 1] };
const student = { kind: "student", label: "taught at T = 4", hover: "", x: 5, y: 0.5 };
const alone = { ...student, kind: "alone", label: "labels alone" };
const labelsOf = (view, ...marks) => [...studentLabels(view, { you: null, marks }, "you").values()];

test("students at one place have labels on different sides", () => {
  for (const marks of [
    [student, alone],
    [student, { ...student }],
  ]) {
    const [one, other] = labelsOf(STUDENTS, ...marks);
    assert.equal(overlap(one.box, other.box), false);
  }
});

test("the label of a student moves away from a point and a line, has two lines, or is left out", () => {
  const [above] = labelsOf(STUDENTS, student);
  const at = { x: (above.box.left + above.box.right) / 2, y: (above.box.top + above.box.bottom) / 2 };
  const point = { left: at.x - 4, right: at.x + 4, top: at.y - 4, bottom: at.y + 4 };
  assert.equal(overlap(labelsOf({ ...STUDENTS, marks: [point] }, student)[0].box, point), false);
  const upright = (x) => [
    [x, STUDENTS.top],
    [x, 250],
  ];
  const lines = [upright(above.box.left + 20), upright(above.box.right - 20)];
  const [narrow] = labelsOf({ ...STUDENTS, lines }, student);
  assert.match(narrow.text, /<br>/);
  assert.ok(narrow.box.left > above.box.left + 20 && narrow.box.right < above.box.right - 20);
  assert.deepEqual(labelsOf({ ...STUDENTS, lines: [...lines, upright(at.x)] }, student), []);
});

test("the label of the current point stands where no line is, if there is such a side", () => {
  const view = { ...frame(390), x: [4, 6.2], y: [0, 1] };
  const you = { x: 5, y: 0.5, low: 0.5, high: 0.5, exact: true };
  const [point, right] = currentBoxes(view, you, "you");
  const middle = (point.top + point.bottom) / 2;
  const front = [
    [(point.left + point.right) / 2, middle],
    [380, middle],
  ];
  const [, left] = currentBoxes({ ...view, lines: [front] }, you, "you");
  assert.ok(left.right < point.left);
  const through = [
    [0, middle],
    [390, middle],
  ];
  const above = [
    [0, point.top - 10],
    [390, point.top - 10],
  ];
  const below = [
    [0, point.bottom + 10],
    [390, point.bottom + 10],
  ];
  assert.deepEqual(currentBoxes({ ...view, lines: [through, above, below] }, you, "you")[1], right);
});

test("the label of the current point covers no dot of the drag", () => {
  const view = { ...frame(390), x: [4, 6.2], y: [0, 1] };
  const you = { x: 5, y: 0.5, low: 0.5, high: 0.5, exact: true };
  const trail = [5.08, 5.12, 5.16, 5.2].map((x) => [x, 0.5, true, ""]);
  const [point, label] = currentBoxes(withTrail(view, { trail }), you, "you");
  assert.ok(label.right < point.left);
});

test("a label of a list crosses no line of a trace; that of a single point crosses none where a side is free", () => {
  const front = { mode: "lines", x: [6e4, 3e5, 1e6], y: [0.5, 0.85, 0.9], line: { shape: "hv" } };
  const size = frame(900, 500);
  const { data } = withLabels([front, ORIGINAL, PRESETS], LAYOUT, size);
  const { lines } = obstaclesOf([front], LAYOUT, size);
  assert.equal(lines.length, 4);
  const shown = boxes(data.slice(1), size);
  assert.ok(shown.length >= 3);
  for (const box of shown) assert.ok(!lines.some((line) => crosses(box, line, 0)));
});

for (const [name, line, expected] of [
  ["through it", [0, 15, 50, 15], true],
  ["aslant through a corner", [0, 18, 30, 3], true],
  ["aslant past a corner", [0, 8, 8, 0], false],
  ["above it", [0, 5, 50, 5], false],
  ["that ends before it", [0, 15, 5, 15], false],
  ["inside it", [15, 15, 16, 16], true],
]) {
  test(`a line ${name} ${expected ? "crosses" : "does not cross"} a box`, () => {
    const [x0, y0, x1, y1] = line;
    const segment = [
      [x0, y0],
      [x1, y1],
    ];
    assert.equal(crosses({ left: 10, right: 40, top: 10, bottom: 20 }, segment, 0), expected);
  });
}

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

test("the lines of a list all stay, also long ones and those near the edge", () => {
  const list = { mode: "text", x: [0, 0, 0], y: [12, 30, 47], text: ["coat: shirt ✗ → coat ✓", "a ".repeat(90), "b"] };
  const sheet = { xaxis: { range: [0, 800] }, yaxis: { range: [64, 0] } };
  const { data } = withLabels([list], sheet, { width: 824, height: 100, left: 12, right: 12, top: 24, bottom: 8 });
  assert.deepEqual(data[0].text, list.text);
});

test("a label at the upper edge stays inside the plot, away from the buttons above it", () => {
  const view = frame(1200, 260);
  const best = { ...ORIGINAL, y: [0.93] };
  const { data } = withLabels([best], LAYOUT, view);
  const [label] = boxes(data, view);
  assert.equal(data[0].text[0], "original");
  assert.ok(label.top >= view.top);
});
