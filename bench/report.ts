import type { Load } from './load/loads.ts';
import { median, type Round } from './load/measure.ts';

/** A load with what was measured of it. */
export interface Measured {
  load: Load;
  hutch: Round[];
  bare: Round[];
}

/** One of the aims that are no load. */
export interface Single {
  name: string;
  value: number;
  /** Without an aim, the value is only reported. */
  below?: number;
  text: string;
}

const middle = (rounds: Round[], pick: (round: Round) => number) => median(rounds.map(pick));

/** The CPU per request of the bare server over Hutch's, round by round. */
export function cpuRatio({ hutch, bare }: Measured): number {
  return median(
    hutch.map((round, index) => (bare[index]?.cpuMicros ?? Number.NaN) / round.cpuMicros),
  );
}

/** Requests/s of Hutch over those of the bare server, round against round. */
export function rateRatio({ hutch, bare }: Measured): number {
  return median(
    hutch.map((round, index) => round.perSecond / (bare[index]?.perSecond ?? Number.NaN)),
  );
}

/** A markdown table: a row for each load. */
export function loadTable(all: Measured[]): string {
  const head = [
    'load',
    'hutch req/s',
    'bare req/s',
    'req/s ratio',
    'hutch µs CPU',
    'bare µs CPU',
    'CPU ratio',
    'hutch p50 / p99 ms',
    'bare p50 / p99 ms',
    'aim',
    '',
  ];
  return table(head, all.map(loadRow));
}

function loadRow(measured: Measured): string[] {
  const { load, hutch, bare } = measured;
  const [rate, cpu] = [rateRatio(measured), cpuRatio(measured)];
  const bold = (of: string, text: string) => (load.aim?.of === of ? `**${text}**` : text);
  return [
    load.label,
    whole(middle(hutch, (round) => round.perSecond)),
    whole(middle(bare, (round) => round.perSecond)),
    bold('rate', rate.toFixed(2)),
    middle(hutch, (round) => round.cpuMicros).toFixed(1),
    middle(bare, (round) => round.cpuMicros).toFixed(1),
    bold('cpu', cpu.toFixed(2)),
    latencies(hutch),
    latencies(bare),
    load.aim ? `${load.aim.of === 'cpu' ? 'CPU' : 'req/s'} ≥ ${load.aim.least}` : '',
    load.aim ? verdict((load.aim.of === 'cpu' ? cpu : rate) >= load.aim.least) : '',
  ];
}

/** A markdown table of the aims that are no load. */
export function singleTable(all: Single[]): string {
  const rows = all.map(({ name, text, below, value }) => [
    name,
    text,
    below === undefined ? '' : `< ${below}`,
    below === undefined ? '' : verdict(value < below),
  ]);
  return table(['', 'measured', 'aim', ''], rows);
}

function latencies(rounds: Round[]): string {
  const [p50, p99] = [middle(rounds, (it) => it.p50Ms), middle(rounds, (it) => it.p99Ms)];
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Markdown. */
export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
