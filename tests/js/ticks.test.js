import assert from "node:assert/strict";
import { test } from "node:test";
import { inLines, linesWithin, widthOfNames, withRoom, withSpacedTicks } from "../../workbench/panels/js/ticks.js";

const axis = (values, texts) => ({
  type: "log",
  range: [Math.log10(values[0]), Math.log10(values.at(-1))],
  tickvals: values,
  ticktext: texts,
});
const SIZES = axis([1e4, 3e4, 1e5, 3e5, 1e6], ["10 kB", "30 kB", "100 kB", "300 kB", "1 MB"]);

test("a wide axis keeps all labels", () => {
  assert.equal(withRoom(SIZES, 800), SIZES);
});

test("a narrow axis labels the powers of ten and keeps its ticks", () => {
  const { ticktext, tickvals } = withRoom(SIZES, 180);
  assert.deepEqual(ticktext, ["10 kB", "", "100 kB", "", "1 MB"]);
  assert.deepEqual(tickvals, SIZES.tickvals);
  const fine = axis([0.05, 0.1, 0.2, 0.5, 1], ["0.05", "0.1", "0.2", "0.5", "1"]);
  assert.deepEqual(withRoom(fine, 120).ticktext, ["", "0.1", "", "", "1"]);
});

test("an axis without room for the powers of ten labels every second one", () => {
  assert.deepEqual(withRoom(SIZES, 90).ticktext, ["10 kB", "", "", "", "1 MB"]);
  assert.deepEqual(withRoom(SIZES, 30).ticktext, ["10 kB", "", "", "", ""]);
});

test("an axis with fewer than two powers of ten labels every second tick", () => {
  const short = axis([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1.0", "2.0", "5.0"]);
  assert.deepEqual(withRoom(short, 120).ticktext, ["0.2", "", "1.0", "", "5.0"]);
});

test("a linear axis labels every second tick where it is narrow", () => {
  const linear = {
    range: [0, 90],
    tickvals: [0, 20, 40, 60, 80],
    ticktext: ["0 B", "20 kB", "40 kB", "60 kB", "80 kB"],
  };
  assert.equal(withRoom(linear, 400), linear);
  assert.deepEqual(withRoom(linear, 150).ticktext, ["0 B", "", "40 kB", "", "80 kB"]);
});

test("names next to an axis take as much room as the longest one", () => {
  const names = { automargin: true };
  assert.equal(widthOfNames({ ...names, ticktext: ["fc1", "conv1.weight"] }, []), 98);
  assert.equal(widthOfNames(names, [{ y: ["fc1", "conv1.weight<br>and others"] }, { x: [1] }]), 98);
  assert.equal(widthOfNames({ ...names, automargin: false, ticktext: ["conv1.weight"] }, []), 0);
  assert.equal(widthOfNames(names, [{ y: [0.5, 0.7] }]), 0);
  assert.equal(widthOfNames(undefined, []), 0);
});

test("other axes stay as they are", () => {
  for (const other of [undefined, { type: "linear", tickvals: [1], range: [0, 1] }, { type: "log" }]) {
    assert.equal(withRoom(other, 10), other);
  }
});

test("a title is divided between words where it is wider than its chart", () => {
  const title = "milliseconds per example";
  assert.deepEqual(inLines(title, 400), [title]);
  assert.deepEqual(inLines(title, 120), ["milliseconds per", "example"]);
  assert.deepEqual(inLines(title, 20), ["milliseconds", "per", "example"]);
  assert.deepEqual(inLines("", 20), [""]);
});

const coordinates = (values) => ({
  dimensions: [{ range: [0, 10], tickvals: values, ticktext: values.map(String) }],
});

test("labels of parallel axes that would overlap are left out, and their ticks stay", () => {
  const [dimension] = withSpacedTicks(coordinates([0, 0.5, 1, 5, 5.1, 10]), 200).dimensions;
  assert.deepEqual(dimension.ticktext, ["0", "", "1", "5", "", "10"]);
  assert.equal(dimension.tickvals.length, 6);
});

test("labels of parallel axes with room stay", () => {
  const [dimension] = withSpacedTicks(coordinates([0, 5, 10]), 200).dimensions;
  assert.deepEqual(dimension.ticktext, ["0", "5", "10"]);
});

test("other traces stay as they are", () => {
  const trace = { x: [1], y: [2] };
  assert.equal(withSpacedTicks(trace, 200), trace);
});

test("a title at the left leaves out an explanation that is longer than the chart is high", () => {
  const title = "accuracy on validation<br>each line at least halves the errors";
  assert.equal(linesWithin(title, 400), title);
  assert.equal(linesWithin(title, 200), "accuracy on validation");
  assert.equal(linesWithin("accuracy on validation", 20), "accuracy on validation");
});
