// @ts-check
// The limits of a goal in a picture of a metric against the file size, which can be dragged. They lie over the
// picture: a drag goes on when the picture below is drawn again.
//
// A limit is dragged to the roundest number that is near the pointer. The fields do the same for the keyboard.

import { h } from "./dom.js";

/** @import { Chart } from "./chart.js" */
/** @import { MoveState, PictureLimit, Point } from "./types" */
/** @typedef {{ left: number, right: number, top: number, bottom: number, x: number[], y: number[] }} Axes   the edges
 *   of the plot in px of the chart, and the ends of its axes */
/** @typedef {{ key: string, typed: number | null }} Moved   a limit in the unit of its field; null for none */
/** @typedef {Moved & { pointer: number, from: number, moved: boolean }} Drag   where the pointer is, in px from the
 *   line, and where it was pressed, in px of the window */

const REACH = 7; // px from the line where it can be pressed
const FINGER_REACH = 12;
const NEAR = 6; // px from the pointer to the number that it sets
const CLICK = 3; // px that a mouse moves in a click
const TAP = 10; // px that a finger moves in a tap
const POINT = 9; // px from the center of a point to where a mouse selects it
const FINGER_POINT = 14;
const WAIT = 5000; // ms until the picture of the new limit must be there
const DIGITS = 9;

/** @type {Record<PictureLimit["scale"], [(value: number) => number, (place: number) => number]>} */
const SCALES = {
  size: [Math.log10, (place) => 10 ** place],
  error: [(value) => -Math.log10(Math.max(1 - value, 1e-4)), (place) => Math.max(0, 1 - 10 ** -place)],
  log: [(value) => -Math.log10(value), (place) => 10 ** -place],
  higher: [(value) => value, (place) => place],
  lower: [(value) => -value, (place) => -place],
};

// The number with the fewest digits that is near enough to `value`.
/** @type {(value: number, isNear: (candidate: number) => boolean) => number} */
export function roundest(value, isNear) {
  const first = value ? Math.floor(Math.log10(Math.abs(value))) : 0;
  for (let power = first; power > first - DIGITS; power--) {
    const candidate = Number((Math.round(value / 10 ** power) * 10 ** power).toPrecision(DIGITS));
    if (isNear(candidate)) return candidate;
  }
  return value;
}

// Where a limit is, in px of the chart; one outside the axes is at their end.
/** @type {(limit: PictureLimit, typed: number, axes: Axes) => number} */
export function placeOf({ axis, scale, unit }, typed, axes) {
  const [low, high] = axes[axis];
  const share = Math.max(0, Math.min(1, (SCALES[scale][0](typed * unit) - low) / (high - low)));
  return axis === "x" ? axes.left + share * (axes.right - axes.left) : axes.bottom - share * (axes.bottom - axes.top);
}

// The limit at a place in px of the chart, in the unit of its field; null, for none, where it excludes nothing.
/** @type {(limit: PictureLimit, place: number, axes: Axes) => number | null} */
export function typedAt(limit, place, axes) {
  const { axis, scale, unit } = limit;
  const [start, end] = axis === "x" ? [axes.left, axes.right] : [axes.bottom, axes.top];
  const share = Math.max(0, Math.min(1, (place - start) / (end - start)));
  const [low, high] = axes[axis];
  const value = SCALES[scale][1](low + share * (high - low)) / unit;
  const inside = start + share * (end - start); // the pointer may be outside
  const typed = roundest(value, (candidate) => Math.abs(placeOf(limit, candidate, axes) - inside) <= NEAR);
  return typed === 0 && scale === "error" ? null : typed;
}

// What the label says: the limit as it would be typed.
/** @type {(limit: PictureLimit, typed: number) => string} */
export function limitText({ units, unit, label }, typed) {
  const [name, size] = units.filter(([, size]) => typed * unit >= size).at(-1) ?? units[0];
  const number = Number(((typed * unit) / size).toPrecision(DIGITS));
  return label.replace("{limit}", `${number}${name ? `\u202f${name}` : ""}`);
}

export class LimitHandles {
  /** @type {Drag | null} */ drag = null;
  /** @type {Moved | null} */ dropped = null; // a limit that the picture does not show yet
  /** @type {Map<string, HTMLElement>} */ handles = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;

  /**
   * @param {Chart} chart
   * @param {(key: string, typed: number | null, value: number | null, state: MoveState) => void} onMove called with the
   *   limit in the unit of its field and in that of Python
   */
  constructor(chart, onMove) {
    this.chart = chart;
    this.onMove = onMove;
    this.shades = h("div");
    this.node = h("div", { className: "limit-handles", "aria-hidden": "true" }, this.shades);
    chart.addLayer(this.node);
    chart.onDraw = () => this.place();
    /** @param {KeyboardEvent} event */
    this.onKey = (event) => event.key === "Escape" && this.cancel();
    this.reach = REACH;
    chart.frame?.addEventListener("pointermove", (event) => {
      const isOver = !this.drag && !isFinger(event) && Boolean(this.pointAt(event));
      this.node.classList.toggle("pass", isOver); // a point on a line is pointed at
    });
    chart.frame?.addEventListener("pointerdown", (event) => this.pressPoint(event), { capture: true });
  }

  /** @returns {PictureLimit[]} */
  get limits() {
    return this.chart.figure?.layout.meta?.limits ?? [];
  }

  /** @returns {Axes} */
  get axes() {
    const { width, height, margin, xaxis, yaxis } = this.chart.layout;
    const edges = { left: margin.l, right: width - margin.r, top: margin.t, bottom: height - margin.b };
    return { ...edges, x: xaxis.range, y: yaxis.range };
  }

  // A limit as it is shown now, in the unit of its field.
  /** @param {PictureLimit} limit */
  shown({ key, value, unit }) {
    const moved = [this.drag?.moved ? this.drag : null, this.dropped].find((moved) => moved?.key === key);
    return moved ? moved.typed : Number((value / unit).toPrecision(DIGITS));
  }

  // Called when the picture is drawn.
  place() {
    const { dropped } = this;
    const limit = this.limits.find(({ key }) => key === dropped?.key);
    const drawn = limit ? Number((limit.value / limit.unit).toPrecision(DIGITS)) : null;
    if (dropped && drawn === dropped.typed) this.dropped = null;
    this.draw();
  }

  draw() {
    const { limits } = this;
    const isMoving = Boolean(this.drag?.moved || this.dropped);
    this.chart.plot.classList.toggle("limit-moves", isMoving); // hides the limits that it has drawn
    for (const [key, handle] of this.handles) {
      if (limits.some((limit) => limit.key === key) || this.drag?.key === key) continue;
      handle.remove();
      this.handles.delete(key);
    }
    this.shades.replaceChildren();
    this.reach = matchMedia("(any-pointer: coarse)").matches ? FINGER_REACH : REACH;
    for (const limit of limits) this.drawLimit(limit, isMoving);
  }

  /** @type {(limit: PictureLimit, isMoving: boolean) => void} */
  drawLimit(limit, isMoving) {
    const { axes, reach } = this;
    const { left, right, top, bottom } = axes;
    const typed = this.shown(limit);
    const handle = this.handles.get(limit.key) ?? this.makeHandle(limit);
    const place = typed === null ? bottom : placeOf(limit, typed, axes);
    const isUpright = limit.axis === "x";
    const line = isUpright
      ? { left: place - reach, top, width: 2 * reach, height: bottom - top }
      : { left, top: place - reach, width: right - left, height: 2 * reach };
    setPlace(handle, line);
    handle.classList.toggle("moves", isMoving);
    if (!isMoving) return;
    const label = h("span", { text: typed === null ? limit.none : limitText(limit, typed) });
    const shade = isUpright
      ? { left: place, top, width: right - place, height: bottom - top }
      : { left, top: place, width: right - left, height: bottom - place };
    const node = h("div", { className: `limit-shade ${limit.axis}` }, label);
    node.classList.toggle("you", this.drag?.key === limit.key);
    setPlace(node, shade);
    this.shades.append(node);
    const hasRoom = isUpright ? place - left > label.offsetWidth : place - top > label.offsetHeight;
    node.classList.toggle("outside", !hasRoom && typed !== null);
  }

  /** @param {PictureLimit} limit */
  makeHandle({ key, axis }) {
    const handle = h("div", { className: `limit-handle ${axis}`, "data-limit": key });
    handle.addEventListener("pointerdown", (event) => this.press(event, handle, key));
    handle.addEventListener("pointermove", (event) => this.move(event));
    handle.addEventListener("pointerup", (event) => this.release(event));
    handle.addEventListener("pointercancel", () => this.cancel());
    this.handles.set(key, handle);
    this.node.append(handle);
    return handle;
  }

  // A press on a point that lies on a line can become a drag of the line, or select the point when it is released.
  /** @param {PointerEvent} event */
  pressPoint(event) {
    if (!this.node.classList.contains("pass")) return;
    const { clientX: x, clientY: y } = event;
    for (const [key, handle] of this.handles) {
      if (!contains(handle.getBoundingClientRect(), x, y)) continue;
      this.node.classList.remove("pass");
      event.stopPropagation();
      return this.press(event, handle, key);
    }
  }

  /** @type {(event: PointerEvent, handle: HTMLElement, key: string) => void} */
  press(event, handle, key) {
    const limit = this.limits.find((limit) => limit.key === key);
    if (event.button !== 0 || !limit) return;
    event.preventDefault(); // selects no text
    handle.setPointerCapture(event.pointerId);
    const typed = this.shown(limit);
    const from = limit.axis === "x" ? event.clientX : event.clientY;
    const place = typed === null ? this.axes.bottom : placeOf(limit, typed, this.axes);
    this.drag = { key, typed, from, pointer: from - place, moved: false };
    window.addEventListener("keydown", this.onKey);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { drag } = this;
    const limit = this.limits.find(({ key }) => key === drag?.key);
    if (!drag || !limit) return;
    const at = limit.axis === "x" ? event.clientX : event.clientY;
    if (!drag.moved && Math.abs(at - drag.from) < (isFinger(event) ? TAP : CLICK)) return;
    drag.moved = true;
    drag.typed = typedAt(limit, at - drag.pointer, this.axes);
    this.report(limit, drag.typed, "moving");
    this.draw();
  }

  /** @param {PointerEvent} event */
  release(event) {
    const { drag } = this;
    const limit = this.limits.find(({ key }) => key === drag?.key);
    this.end();
    if (drag?.moved && limit) {
      this.dropped = { key: drag.key, typed: drag.typed };
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.forget(), WAIT);
      this.report(limit, drag.typed, "dropped");
    } else {
      const point = this.pointAt(event);
      if (point) this.chart.onPoint?.(point);
    }
    this.draw();
  }

  // Ends a drag without an effect.
  cancel() {
    const limit = this.limits.find(({ key }) => key === this.drag?.key);
    const { moved } = this.drag ?? {};
    this.end();
    if (limit && moved) this.report(limit, this.shown(limit), "canceled");
    this.draw();
  }

  end() {
    this.drag = null;
    window.removeEventListener("keydown", this.onKey);
  }

  // Shows the limits of the picture again, if Python has refused one.
  forget() {
    this.dropped = null;
    this.draw();
  }

  /** @type {(limit: PictureLimit, typed: number | null, state: MoveState) => void} */
  report({ key, unit }, typed, state) {
    this.onMove(key, typed, typed === null ? null : Number((typed * unit).toPrecision(12)), state);
  }

  // The point of the picture nearest to the pointer that a click acts on.
  /** @type {(event: PointerEvent) => Point | null} */
  pointAt(event) {
    if (!this.limits.length) return null;
    const { clientX, clientY } = event;
    const { axes } = this;
    const box = this.node.getBoundingClientRect();
    /** @type {Point | null} */
    let nearest = null;
    let distance = isFinger(event) ? FINGER_POINT : POINT;
    for (const { mode, x = [], y = [], customdata } of this.chart.figure?.data ?? []) {
      if (!mode?.includes("markers") || !customdata) continue;
      for (const [index, size] of x.entries()) {
        const across = axes.left + along(axes.x, Math.log10(size)) * (axes.right - axes.left);
        const up = axes.bottom - along(axes.y, y[index]) * (axes.bottom - axes.top);
        const gap = Math.hypot(clientX - box.left - across, clientY - box.top - up);
        if (gap > distance) continue;
        distance = gap;
        nearest = { x: size, y: y[index], customdata: customdata[index] };
      }
    }
    return nearest;
  }
}

/** @param {PointerEvent} event */
const isFinger = ({ pointerType }) => pointerType === "touch";

/** @type {(box: { left: number, right: number, top: number, bottom: number }, x: number, y: number) => boolean} */
const contains = ({ left, right, top, bottom }, x, y) => left <= x && x <= right && top <= y && y <= bottom;

/** @type {(ends: number[], value: number) => number} */
const along = ([low, high], value) => (value - low) / (high - low);

/** @type {(node: HTMLElement, place: { left: number, top: number, width: number, height: number }) => void} */
function setPlace({ style }, { left, top, width, height }) {
  style.left = `${left}px`;
  style.top = `${top}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}
