// The messages from Python, described in panels/widget.py, and the interfaces of anywidget and
// plotly.js as far as the page uses them. Only the type checker reads this file.

import type { Channel } from "./channel.js";
import type { Bounds } from "./limits.js";
import type { Status } from "./status.js";
import type { Theme } from "./theme.js";

export type Labels = Record<string, string>;
export type Value = string | number | boolean | null;
export type Values = Record<string, any>; // one type per field, known only at run time
/** The values of all controls, as sent to Python. */
export interface SentValues {
  seq: number;
  gesture: number;
  moving: boolean;
  values: Values;
}
export type Listener = (message: any, buffers: ArrayBuffer[]) => void;

/** The properties of an element that `h` makes: attributes, `text` and event listeners. */
export type Props = Record<string, unknown> & {
  [Event in keyof HTMLElementEventMap as `on${Event}`]?: (event: HTMLElementEventMap[Event]) => unknown;
};

// ── page ──

export interface Choice {
  value: any;
  label: string;
  spoken?: string; // for screen readers
  help?: string;
}

export type Level = "start" | "explore" | "everything";

/** The part of a field acts if the field `key` is not `off`, or `layers` names some layer. */
export interface Gate {
  key: string;
  off: Value;
  layers: string | null;
}

export interface Field {
  key: string;
  kind: "real" | "integer" | "choice" | "layers" | "names" | "text" | "flag";
  primary: boolean;
  level: Level;
  label: string;
  name: string; // complete, for screen readers
  short: string;
  help: string;
  low: number;
  high: number;
  step: number;
  bounds: Bounds | null; // of a number that is typed
  percent: boolean;
  unit: string;
  choices: Choice[];
  stepped: boolean; // a slider with the choices as stops
  visible_if: [string, Value[]] | null;
  gate: Gate | null;
  value?: number;
}

export interface Part {
  key: string;
  title: string;
  fields: Field[];
  rules?: StudentRules; // of distillation
}

export interface StudentRules {
  temperature: string; // the key of that field
  teacher: string; // the key of that field
  start: Values; // temperature and teacher of the first student
  alone: number; // the temperature of a student without a teacher
  selected: string; // says which teacher a temperature has selected
}

export interface Share {
  share: number;
  text: string;
  help: string;
}

export interface LayerRow {
  name: string;
  description: string;
  macs: Share;
  coupled: Record<string, string[]>;
}

export type Aim = "fine_tune" | "distill" | "train";

export type TrainingField = Field & { needs: [string, Value[]][] };

export interface TrainingTexts {
  title: string;
  aim: Field;
  aims: Record<Aim, Values>;
  main: TrainingField[];
  groups: { title: string; fields: TrainingField[] }[];
  values: Values;
  student_labels: number; // those of the values
  length: Field;
  limit: string; // the choice of it
  amounts: Record<string, Field & { value: number; amount: string }>;
  buttons: Record<Aim | "student", string>;
  sweep: string | null;
  sweep_help: string;
  warnings: Record<string, string>;
}

export interface ParallelTexts {
  title: string;
  help: string;
  main: TrainingField[];
  groups: { title: string; fields: TrainingField[] }[];
  values: Values;
  button: string;
}

export interface LiveParallel {
  facts: { value: string; label: string }[];
  notes: string[];
}

export interface DeployTexts {
  title: string;
  help: string;
  start: string;
  stop: string;
  download: string;
  download_contents: string;
  table: string; // its name
  runtime: string;
  columns: { key: string; label: string }[];
  foot: string;
  missing: { text: string; command: string }[]; // other runtimes, and the lines that install them
}

/** A runtime with a precision. */
export interface DeployRow {
  runtime: string;
  precision: string;
  name: string; // both
  tone: "waiting" | "confirmed" | "failed";
  status: string;
  cells: Record<string, string>; // by the keys of the columns
  notes: string[];
  download: number | null; // the number of its package
}

export interface LiveDeploy {
  file: string; // the recipe of the file
  working: boolean;
  headline: string;
  fraction: number | null;
  rows: DeployRow[];
}

export interface UploadTexts {
  button: string;
  kinds: { label: string; help: string }[];
  privacy: string;
  drop: string;
  accept: string;
  chunk_bytes: number;
  sending: string;
  check: Labels;
  learned: Labels;
  models: UploadedModel[];
}

/** A model of the user's data, and the name of its file. */
export interface UploadedModel {
  name: string;
  title: string;
  file: string;
  figures: boolean; // whether its figures can be shown
}

export interface TabLabel {
  key: string;
  label: string;
  page: string;
}

export interface Fact {
  value: string;
  label: string;
  help: string;
}

/** `image` is the base64 of an image's gray values; `logits` has a list for each example, by teacher. */
export interface DistillationTexts {
  title: string;
  fields: Field[];
  rules: StudentRules;
  classes: string[];
  examples: { label: number; image: string }[];
  logits: Record<string, number[][]>;
  unit: string;
  texts: { caption: string; image: string; alone: string };
  next: string;
  repeat: string;
  repeat_help: string;
}

export interface DistillationState {
  comparison: string;
  repeated: string;
  can_repeat: boolean;
  repeating: { text: string; fraction: number | null } | null;
}

/** Done when the value of `key` is from `low` to `high`, when there is a goal, or when a change is undone. */
export interface TourStep {
  target: string;
  text: string;
  key?: string;
  low?: number;
  high?: number;
  goal?: boolean;
  undone?: boolean;
}

export interface Tour {
  start: string;
  title: string;
  count: string;
  done: string;
  back: string;
  next: string;
  finish: string;
  end: string;
  steps: TourStep[];
}

export interface Page {
  labels: Labels;
  pages: { key: string; label: string; model: boolean; recipe: boolean; goal: boolean }[]; // and the controls of the header
  open: string | null; // the key of the open page
  header: {
    tasks: { title: string; models: { value: string; label: string }[] }[];
    selected: string;
    about: { name: string; text: string }; // the model and its data, and what it does with them
    facts: Fact[];
  };
  parts: Part[];
  layer_table: LayerRow[];
  settings: { levels: Choice[]; distillation: DistillationTexts | null; goal: GoalBounds; tour: Tour };
  training: TrainingTexts;
  choosing: ChoosingTexts;
  deploying: DeployTexts;
  parallel: ParallelTexts;
  upload: UploadTexts | null;
  trial: TrialTexts | null;
  contents: FileContents | null;
  presets: { key: string; label: string; help: string }[];
  tabs: TabLabel[];
}

// ── state ──

export interface Progress {
  fraction?: number | null;
  text: string;
}

// The progress of an operation other than the measurement; without a text, it has ended.
export interface OperationMessage {
  number: number;
  job: string; // what the button of the progress bar cancels
  fraction?: number | null;
  text: string | null;
}

export type Figure = "accuracy" | "interval" | "change" | "bytes" | "original" | "times" | "status";

export type Numbers = Record<Figure | "announcement", string> & {
  pending: boolean;
  exact: boolean;
  facts: Fact[];
  reasons: string[]; // the most useful first
  more: string; // the label of the button that shows the others
};

export interface LiveTraining {
  idle: string[];
  network: string;
  distilled: { teacher: string; temperature: number } | null;
  student_labels: number; // the share of labels that further training starts with
}

/** What the limits of the goal may be, and what is said of others. */
export interface GoalBounds {
  budget: Bounds;
  floor: Bounds;
}

/** A question of the page Choose: a number with a unit, empty for no limit. */
export interface ChoosingQuestion {
  key: string;
  label: string;
  help: string;
  unit: string;
  value: number | null;
  scale: number; // what the number is multiplied by
  step: number | "any";
  bounds: Bounds; // in this unit
}

export interface ChoosingTexts {
  title: string;
  questions: ChoosingQuestion[];
  start: string;
  cards: string; // the name of the list
  none: string; // the placeholder of an empty limit
  suggested: string; // what is said of a limit that the user has not set
  open: string;
  reasons: string;
}

export interface ChoosingCard {
  title: string;
  name: string;
  facts: { value: string; label: string }[];
  recipe: string; // JSON
  model: string | null; // another one, or null for that of the page
}

export interface LiveChoosing {
  working: boolean;
  limits: Record<string, number | null>;
  suggested: string[]; // the keys of the limits that the user has not set
  helps: Record<string, string>; // what the model has, by key of the question
  searched: string; // which model
  headline: string;
  met: boolean;
  cards: ChoosingCard[];
  reasons: string[];
}

export interface LiveTable {
  bytes: Record<string, Share>;
  held_size: { text: string } | null;
}

/** A point in units of the axes, with its interval. */
export interface Place {
  x: number;
  y: number;
  low: number;
  high: number;
  exact: boolean;
  hover: string;
}

/** The part of the trade-off that belongs to the numbers. */
export interface LivePlane {
  title: string;
  you: Place | null;
  faint: boolean; // whether it belongs to an earlier recipe
  size: number | null;
  trail: [number, number, boolean, string][]; // place, whether it is exact, and what it says
  marks: (Place & { kind: string; label: string })[];
}

/** The ends of the axes and the limits of the goal. */
export interface PlaneFrame {
  x: [number, number];
  y: [number, number];
  budget: number | null;
  floor: number | null;
}

export interface State {
  seq: number;
  outdated: boolean;
  numbers: Numbers | null; // null if outdated
  plane: LivePlane | null;
  busy: boolean;
  working: boolean; // a training, a search, an export or parallel ranks
  stale: boolean;
  error: string | null;
  note: string | null;
  missing: MissingModel | null;
  progress: Progress | null;
  undo: boolean;
  redo: boolean;
  query: string;
  budget: number | null;
  floor: number | null;
  model: string;
  student: { value: string; label: string; help: string } | null; // in place of the model
  selected: string; // differs for each recipe and each model
  layer_table: LiveTable;
  settings: {
    hidden: Record<Level, string>;
    goal: string;
    hint: string;
    can_train_again: boolean;
    distillation: DistillationState | null;
  };
  training: LiveTraining;
  choosing: LiveChoosing;
  deploying: LiveDeploy;
  parallel: LiveParallel;
  file: string | null; // the digest of the open file; null until it is created
  values?: Values;
}

// ── tab ──

export type Control =
  | { kind: "text"; text: string }
  | { kind: "button"; key: string; value: number; text: string; disabled: boolean }
  | { kind: "select" | "buttons"; key: string; label: string; value: Value; choices: Choice[] };

export interface ActionButton {
  act: string;
  text: string;
  [detail: string]: unknown;
}

export type TableCell = string | { text: string; url: string };

export interface Table {
  head: string[];
  rows: { key: number | null; selected: boolean; cells: TableCell[] }[];
  empty: string;
  action?: string;
  button: ActionButton;
  foot?: string;
}

export interface CopyText {
  title: string;
  text: string;
  link?: boolean;
}

export interface Generation {
  title: string;
  prompt: string;
  sides: { head: string; common: string; rest: string }[];
}

export interface ActivityLine {
  tone: "working" | "stopped" | "failed" | "done";
  text: string;
  fraction?: number | null;
  job?: string; // what the button of a working line cancels
  buttons?: ActionButton[];
}

export interface TabMessage {
  seq: number;
  key: string;
  name: string; // of its saved image
  activity?: ActivityLine | null;
  foot?: string;
  controls?: Control[];
  buttons?: ActionButton[];
  keep?: boolean;
  height?: number;
  figure?: PlotlyFigure;
  table?: Table;
  texts?: CopyText[];
  generation?: Generation;
  note?: string;
}

// ── upload ──

/** `number` is that of the file on the page. */
export type UploadMessage = { number?: number } & (
  | { step: "chunk"; offset: number }
  | { step: "busy"; text: string; fraction?: number | null }
  | ({ step: "check" } & CheckMessage)
  | { step: "done" | "failed" | "idle"; text?: string | null; model?: string; learned?: boolean }
);

/** Without `table`, `pictures` and `checkpoint`, those shown before stay. */
export interface CheckMessage {
  number?: number;
  edit: number; // the number of the change that it answers
  error: string | null;
  table?: CheckedTable;
  pictures?: CheckedPictures;
  checkpoint?: CheckedCheckpoint;
}

export interface CheckWarning {
  text: string;
  leave_out: string | null; // the column that it is about
}

export interface ClassShare {
  name: string;
  count: string;
  share: number;
  percent: string;
}

export interface CheckedColumn {
  name: string;
  type: string;
  missing: string;
  unreadable: string;
  note: string;
  used: boolean;
  can_change: boolean;
}

export interface CheckedTable {
  file: string;
  facts: string[];
  target: {
    name: string;
    names: string[];
    as_number: boolean;
    can_be_number: boolean;
    can_be_classes: boolean;
  };
  classes: ClassShare[];
  more_classes: string;
  any_rare: boolean;
  leave_out_rare: boolean;
  leave_out: string[];
  header: boolean;
  header_is_sure: boolean;
  encoding: string; // that is chosen; empty for the one that was found
  encodings: { value: string; label: string }[];
  missing: string;
  any_missing: boolean;
  warnings: CheckWarning[];
  columns: CheckedColumn[];
  counts: Record<string, string>;
  used: string;
}

export interface TableChoices {
  target?: string | null;
  as_number?: boolean | null;
  leave_out: string[];
  header?: boolean;
  encoding?: string | null;
  missing?: string;
  leave_out_rare?: boolean;
}

export interface CheckedClass {
  name: string;
  count: string;
  splits: string[];
  used: boolean;
  can_change: boolean;
}

export interface CheckedPictures {
  file: string;
  facts: string[];
  splits: string[];
  given_splits: string;
  classes: CheckedClass[];
  any_rare: boolean;
  leave_out_rare: boolean;
  leave_out: string[];
  level: number;
  levels: { value: number; label: string }[];
  size: number;
  sizes: { value: number; label: string }[];
  ignored: { count: string; reason: string; examples: string }[];
  warnings: CheckWarning[];
  used: string;
}

export interface PictureChoices {
  size?: number;
  level?: number;
  leave_out: string[];
  leave_out_rare?: boolean;
}

export interface CheckedTensor {
  name: string;
  type: string; // dtype and shape
  size: string;
  note: string; // what is done to it, or why nothing is
  used: boolean;
  can_change: boolean;
}

export interface CheckedCheckpoint {
  file: string;
  facts: string[];
  bits: number;
  bits_choices: { value: number; label: string }[];
  leave_out: string[];
  warnings: CheckWarning[];
  sentences: string[];
  command: string;
  tensors: CheckedTensor[];
  more: string;
  counts: Record<string, string>;
  used: string;
  problem: string; // why it cannot be compressed here; empty if it can
}

export interface CheckpointChoices {
  bits?: number;
  leave_out: string[];
}

export interface LearnedClass {
  name: string;
  examples: string;
  recall: string;
  share: number;
}

/** What a model of the user's data learned. */
export interface Learned {
  title: string;
  poor: string; // a sentence if it is no better than guessing
  figures: { label: string; value: string; note: string }[];
  classes: LearnedClass[];
  figure: PlotlyFigure | null;
}

/** What a file contains of the user's data. */
export interface FileContents {
  text: string;
  items: { name: string; values: string }[];
}

export interface TrialField {
  name: string;
  type: string;
  value: string;
  choices: string[];
}

/** What the user can try a model on. */
export interface TrialTexts {
  title: string;
  fields: TrialField[];
  accept: string;
  drop: string;
  or: string;
  help: string;
  answer: string;
  sending: string;
  save: string;
  close: string;
  line: string;
}

/** `number` is that of the typed row, null for a file. */
export interface Predictions {
  number: number | null;
  answer: string;
  agreement: string; // with the answers in the file
  classes: ClassShare[];
  notes: string[];
  head: string[];
  rows: { source: string; cells: string[] }[];
  more: string;
}

/** A model that is no longer in memory, with the text that asks for its file. */
export interface MissingModel {
  model: string;
  text: string;
  button: string; // empty if uploads are disabled
}

// ── all messages by their kind ──

export interface ChartTable {
  caption: string;
  head: string[];
  rows: string[][];
}

export interface Messages {
  page: Page;
  layers: { layer_table: LayerRow[] };
  state: State;
  chart: { figure: PlotlyFigure; seq: number; frame: PlaneFrame; table: ChartTable; name: string };
  tab: TabMessage;
  upload: UploadMessage;
  learned: Learned;
  predictions: Predictions;
  progress: OperationMessage;
  banner: { text: string };
  saved: { name: string; selected: string; text: string; code: string; note: string | null; met: boolean };
  file: { name: string; mime: string };
  plotly: object;
  plan: PlanMessage;
  sent: { seq: number }; // from the channel itself, not from Python
}

// ── what a widget displays ──

export interface Stops {
  key: string;
  label: string;
  help: string;
  choices: Choice[];
}

/** `fields` are sent once; `hidden` are the keys of those without effect. */
export interface PlanMessage {
  open: string; // the label of the button for a configuration
  largest: number; // bytes of such a file
  refused?: string; // why a file was not opened, empty if it was
  fields?: (Field | Stops)[];
  values: Values;
  hidden: string[];
  fits: { text: string; tone: "good" | "bad" | "open" };
  numbers: { value: string; label: string; brief: string }[]; // times have a brief label for narrow windows
  sentences: string[];
}

export interface Context {
  channel: Channel;
  status: Status;
  theme: Theme;
  changeLanguage: (lang: string) => void; // displays the widget again in another language
  go: (page: string) => void; // opens a page of the app
  tryModel: () => void; // opens the screen on which a model is tried
}

export interface View {
  node: HTMLElement;
  build(page: Page): void;
  show(state: State): void;
  open?(): void; // called when it becomes visible
  leave?(): void; // called when another page opens
  showChart?(message: Messages["chart"]): void;
  showTab?(message: TabMessage): void;
  showLayers?(message: Messages["layers"]): void; // another network takes the place of the model
  showSaved?(message: Messages["saved"]): void; // a file was downloaded
  close?(): void;
}

// ── a figure that moves in a notebook ──

export interface LiveState {
  number: number;
  light?: PlotlyFigure;
  dark?: PlotlyFigure;
}

// ── anywidget ──

interface Signal {
  connect(slot: (sender: unknown, status: string) => void): void;
  disconnect(slot: (sender: unknown, status: string) => void): void;
}

export interface Model {
  on(event: string, listen: Listener): void;
  off(event: string, listen: Listener): void;
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: object, callbacks?: object, buffers?: ArrayBuffer[]): void;
  widget_manager?: { kernel?: { connectionStatusChanged: Signal; statusChanged: Signal } };
}

// ── plotly.js ──

export interface PlotlyFigure {
  data: Trace[];
  layout: {
    title: { text: string };
    font?: { color?: string };
    margin: { l: number; r: number; t: number; b: number };
    xaxis?: any;
    yaxis?: any;
    height?: number;
    shapes?: Shape[];
    showlegend?: boolean;
    annotations?: Annotation[];
    meta?: { limits?: PictureLimit[] };
  };
}

/** A limit of the goal in a picture. */
export interface PictureLimit {
  key: string;
  axis: "x" | "y";
  scale: "size" | "error" | "log" | "higher" | "lower"; // from values to places on the axis
  value: number;
  unit: number; // of the field, in that of the value
  units: [string, number][]; // of the label, with the values from which they are used, ascending
  label: string; // with {limit} in it
  none: string; // the label without a limit
}

/** A text in a chart. */
export interface Annotation {
  text: string;
  x: number;
  y: number;
  xref?: string;
  yref?: string;
  xanchor?: string;
  yanchor?: string;
  xshift?: number;
  yshift?: number;
}

/** An axis of parallel coordinates; its name is a field that a search can narrow. */
export interface Dimension {
  name?: string;
  label?: string;
  range?: number[];
  tickvals?: number[]; // ascending
  ticktext?: string[];
  constraintrange?: number[];
}

export interface Trace {
  name?: string;
  meta?: string;
  mode?: string;
  x?: number[];
  y?: number[];
  text?: string | string[];
  textposition?: string | string[];
  marker?: { size?: number | number[] };
  line?: { shape?: string };
  customdata?: any[];
  dimensions?: Dimension[];
  uirevision?: number;
}

export interface Point {
  x: number;
  y: number;
  customdata?: any;
}

export interface PlotElement extends HTMLElement {
  data?: Trace[];
  on(event: "plotly_click", listen: (event: { points: Point[] }) => void): void;
  on(event: "plotly_restyle", listen: (change: [Record<string, unknown>]) => void): void;
}

export type MoveState = "moving" | "dropped" | "canceled";

export interface Shape {
  type?: string;
  opacity?: number;
  x0?: any;
  x1?: any;
  y0?: any;
  y1?: any;
  xref?: string;
  yref?: string;
}

export interface Plotly {
  newPlot(node: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  react(node: HTMLElement, data: object[], layout: object, config: object): Promise<unknown>;
  toImage(figure: object, options: object): Promise<string>;
  purge(node: HTMLElement): void;
}

declare global {
  interface Window {
    Plotly?: Plotly;
    workbenchPlotly?: Promise<Plotly>; // while it loads
  }
}
