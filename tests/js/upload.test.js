// Which messages and chunks belong to the newest file, and when the panel opens and closes by itself.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Upload } from "../../workbench/panels/js/upload.js";
import { FakeChannel, installDom, LABELS } from "./fake_dom.js";

const TEXTS = { kinds: [], sending: "Sending {name}", chunk_bytes: 4, models: [], learned: LABELS, check: LABELS };

/** @type {FakeChannel} */ let channel;
/** @type {Upload} */ let upload;
/** @type {Record<string, string>} */ let stored;

beforeEach(() => {
  installDom();
  stored = {};
  globalThis.sessionStorage = {
    getItem: (key) => stored[key] ?? null,
    setItem: (key, value) => {
      stored[key] = value;
    },
  };
  channel = new FakeChannel();
  upload = new Upload(channel);
  upload.build(LABELS, TEXTS);
});
afterEach(() => {
  delete globalThis.sessionStorage;
});

const file = (name, text = "0123456789") => new File([text], name);
const tell = (message) => channel.tell("upload", message);

test("messages about an older file are ignored", () => {
  upload.send(file("a.csv"));
  upload.send(file("b.csv"));
  tell({ number: 1, step: "failed", text: "a.csv is damaged" });
  assert.equal(upload.result.textContent, "");
  tell({ number: 2, step: "failed", text: "b.csv is damaged" });
  assert.equal(upload.result.textContent, "b.csv is damaged");
  assert.ok(upload.node.open);
});

test("each chunk is sent from its offset", async () => {
  upload.send(file("a.csv"));
  tell({ number: 1, step: "busy", text: "" });
  await upload.sendChunk(8);
  const [name, { number }, [chunk]] = channel.acts.at(-1);
  assert.deepEqual([name, number, new TextDecoder().decode(chunk)], ["upload_chunk", 1, "89"]);
  assert.equal(upload.bar.value, 0.8);
  assert.equal(upload.operation.textContent, "Sending a.csv");
});

test("a chunk of a file that was replaced while it was read is not sent", async () => {
  upload.send(file("a.csv"));
  tell({ number: 1, step: "busy", text: "" });
  const sending = upload.sendChunk(0);
  upload.send(file("b.csv"));
  await sending;
  assert.ok(!channel.acts.some(([name]) => name === "upload_chunk"));
});

test("a file that cannot be read is answered by an empty chunk", async () => {
  const gone = { name: "a.csv", size: 9, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  upload.send(gone);
  tell({ number: 1, step: "busy", text: "" });
  await upload.sendChunk(0);
  assert.deepEqual(channel.acts.at(-1), ["upload_chunk", { number: 1 }, []]);
});

test("choices made before a reload go with the next file only", () => {
  Object.defineProperty(upload.check, "choices", { value: { target: "price" } });
  upload.send(file("a.csv"));
  tell({ number: 1, step: "done", model: "custom/a" });
  upload.again("custom/a");
  upload.send(file("a.csv"));
  upload.send(file("b.csv"));
  const choices = channel.acts.filter(([name]) => name === "upload").map(([, sent]) => sent.choices);
  assert.deepEqual(choices, [null, { target: "price" }, null]);
});

test("the end of the kernel loses an upload and the models of files", () => {
  assert.ok(!upload.losesData);
  tell({ number: 0, step: "busy", text: "" });
  assert.ok(upload.losesData);
  tell({ number: 0, step: "idle" });
  upload.showModels({ ...TEXTS, models: [{ name: "custom/a", title: "a", file: "a.csv", figures: null }] });
  assert.ok(upload.losesData);
});
