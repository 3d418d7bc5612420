import { dirname, join } from 'node:path';
import ts from 'typescript-5';
import { importsOf, readModules } from './modules.ts';

/** The limits of the code base; the last four apply only to `src`. */
export const BOUNDS = {
  'files in a folder': 20,
  'lines of a file': 400,
  'lines of a function': 40,
  'lines of a function, 90th percentile': 20,
  'files in a chain of imports': 12,
  'files in a cycle of imports': 0,
} as const;

type Measure = keyof typeof BOUNDS;

/** The largest value of a measure and its location. */
export interface Finding {
  measure: Measure;
  value: number;
  where: string;
}

/** All folders are limited, except the folder of Drizzle, which has a file per migration. */
const FOLDERS = 'src test bench examples'.split(' ');

/**
 * Returns the violations in the project at `root`, and the largest value of every measure. Function
 * lengths include everything with a body except `create…` factories, whose methods count
 * individually, and one-line functions, which the percentile omits.
 */
export async function measureShape(root: string) {
  const files = (await Promise.all(FOLDERS.map((folder) => listFiles(root, folder)))).flat();
  const source = await readModules(root, 'src');
  const others = await Promise.all(
    ['test', 'bench', 'examples'].map((it) => readModules(root, it)),
  );
  const everything = new Map([source, ...others].flatMap((modules) => [...modules]));
  const functions = [...source].flatMap(([path, text]) => functionsOf(path, text));
  const graph = importGraph(source, () => true);
  const cycle = findCycle(graph);
  const chain = longestChain(importGraph(source, ({ isTypeOnly }) => !isTypeOnly));
  const findings: Finding[] = [
    ...countBy(files.map((file) => dirname(file))).map(([where, value]) => ({
      measure: 'files in a folder' as const,
      value,
      where,
    })),
    ...[...everything].map(([where, text]) => ({
      measure: 'lines of a file' as const,
      value: text.trimEnd().split('\n').length,
      where,
    })),
    ...functions.map((it) => ({ measure: 'lines of a function' as const, ...it })),
    { measure: 'lines of a function, 90th percentile', ...percentile(functions, 0.9) },
    { measure: 'files in a chain of imports', value: chain.length, where: chain.join(' > ') },
    { measure: 'files in a cycle of imports', value: cycle.length, where: cycle.join(' > ') },
  ];
  return {
    largest: (Object.keys(BOUNDS) as Measure[]).map((measure) => largestOf(findings, measure)),
    broken: findings.filter(({ measure, value }) => value > BOUNDS[measure]),
  };
}

const listFiles = (root: string, folder: string) =>
  Array.fromAsync(new Bun.Glob(`${folder}/**/*`).scan({ cwd: root, dot: true }));

const largestOf = (findings: Finding[], measure: Measure): Finding =>
  findings
    .filter((it) => it.measure === measure)
    .reduce((best, it) => (it.value > best.value ? it : best), { measure, value: 0, where: '' });

function countBy(keys: string[]): [key: string, count: number][] {
  return [...Map.groupBy(keys, (key) => key)].map(([key, all]) => [key, all.length]);
}

interface Function {
  where: string;
  value: number;
}

/** Returns the functions of a file with a body of several lines, except factories. */
export function functionsOf(path: string, text: string): Function[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line + 1;
  const found: Function[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const name = nameOf(node);
      const first = lineOf(node.getStart(file));
      const value = lineOf(node.end) - first + 1;
      if (value > 1 && !/^create[A-Z]/.test(name)) {
        found.push({ where: `${path}:${first} ${name}`.trim(), value });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? '';
}

function percentile(functions: Function[], share: number): Function {
  const sorted = functions.toSorted((a, b) => a.value - b.value);
  return { where: 'src', value: sorted[Math.floor((sorted.length - 1) * share)]?.value ?? 0 };
}

type Graph = Map<string, string[]>;
type Edge = ReturnType<typeof importsOf>[number];

function importGraph(modules: Map<string, string>, counts: (edge: Edge) => boolean): Graph {
  return new Map(
    [...modules].map(([path, text]) => [
      path,
      importsOf(path, text)
        .filter((edge) => modules.has(edge.to) && counts(edge))
        .map(({ to }) => to),
    ]),
  );
}

/** Returns the files of one cycle, with the first one again at its end; empty without a cycle. */
export function findCycle(graph: Graph): string[] {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

/** Returns the longest chain of imports from a file. A cycle is not entered twice. */
export function longestChain(graph: Graph): string[] {
  const known = new Map<string, string[]>();
  const visit = (path: string, trail: Set<string>): string[] => {
    const stored = known.get(path);
    if (stored) return stored;
    const next = (graph.get(path) ?? []).filter((it) => !trail.has(it));
    const ways = next.map((it) => visit(it, new Set([...trail, path])));
    const longest = ways.reduce((best, way) => (way.length > best.length ? way : best), []);
    known.set(path, [path, ...longest]);
    return [path, ...longest];
  };
  return [...graph.keys()]
    .map((path) => visit(path, new Set()))
    .reduce((best, way) => (way.length > best.length ? way : best), []);
}

if (import.meta.main) {
  const { largest, broken } = await measureShape(join(import.meta.dir, '../..'));
  for (const { measure, value, where } of largest) {
    console.log(`${String(value).padStart(4)} of ${BOUNDS[measure]} ${measure}: ${where}`);
  }
  for (const { measure, value, where } of broken) {
    console.error(`Too many ${measure}: ${value}, ${where}`);
  }
  process.exit(broken.length > 0 ? 1 : 0);
}
