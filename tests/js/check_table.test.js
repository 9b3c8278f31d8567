// What the choices about a table are after each answer, and which columns are listed.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { CheckTable } from "../../workbench/panels/js/check_table.js";
import { installDom, LABELS } from "./fake_dom.js";

const column = (number) => {
  const used = number % 2 === 0;
  const unreadable = number === 3 ? "1 value" : "";
  return { name: `c${number}`, type: "number", missing: "", unreadable, note: "", used, can_change: true };
};
const table = (columns) => ({
  target: { name: "y", names: ["x", "y"], as_number: false, can_be_classes: true, can_be_number: true },
  classes: [],
  more_classes: "",
  warnings: [],
  leave_out: ["id"],
  leave_out_rare: false,
  any_rare: false,
  header: true,
  header_is_sure: true,
  encoding: "utf-8",
  encodings: [
    { value: "utf-8", label: "UTF-8" },
    { value: "cp1252", label: "Western" },
  ],
  missing: "impute",
  any_missing: false,
  columns: [...Array(columns).keys()].map(column),
  counts: { all: "all", unused: "unused", odd: "odd" },
});

/** @type {any[]} */ let sent;
/** @type {CheckTable} */ let check;

beforeEach(() => {
  installDom();
  sent = [];
  check = new CheckTable(LABELS, (choices) => sent.push(choices));
  check.show(table(4));
});

const choose = (select, value) => {
  select.value = value;
  select.dispatchEvent(new Event("change"));
};
const listed = () => check.rows.node.children.map((row) => row.querySelector(".column-name").textContent);

test("columns are left out and used again, one by one", () => {
  check.use("c0", false);
  check.use("c2", false);
  check.use("id", true);
  assert.deepEqual(
    sent.map(({ leave_out }) => leave_out),
    [
      ["id", "c0"],
      ["id", "c0", "c2"],
      ["c0", "c2"],
    ],
  );
});

test("another target is read as Python finds best", () => {
  check.change({ as_number: true });
  choose(check.target, "x");
  assert.deepEqual(sent.at(-1), { leave_out: ["id"], target: "x", as_number: null });
});

test("another encoding or first line gives other columns, so their choices end", () => {
  choose(check.target, "x");
  choose(check.encoding, "cp1252");
  assert.deepEqual(sent.at(-1), { leave_out: [], target: null, as_number: null, encoding: "cp1252" });
  choose(check.target, "x");
  check.header.onChange(false);
  assert.deepEqual([sent.at(-1).header, sent.at(-1).target, sent.at(-1).leave_out], [false, null, []]);
});

test("many columns are filtered, and few are all listed", () => {
  check.show(table(15), "unused");
  assert.deepEqual(listed(), ["c1", "c3", "c5", "c7", "c9", "c11", "c13"]);
  check.show(table(15), "odd");
  assert.deepEqual(listed(), ["c3"]);
  assert.ok(!check.filters.node.hidden);
  check.show(table(14));
  assert.equal(listed().length, 14);
  assert.ok(check.filters.node.hidden);
});

test("the lists of targets and encodings stay open while they are the same", () => {
  const before = [...check.target.options, ...check.encoding.options];
  check.show(table(4));
  assert.deepEqual([...check.target.options, ...check.encoding.options], before);
  const other = table(4);
  other.target.names = ["y", "z"];
  check.show(other);
  assert.deepEqual(
    check.target.options.map(({ value }) => value),
    ["y", "z"],
  );
});
