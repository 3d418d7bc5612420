import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dir, '../..');

export interface Finding {
  rule: string;
  path: string;
  line: number;
}

interface BiomeReport {
  diagnostics: { category: string; location: { path: string; start: { line: number } } }[];
}

interface OxlintReport {
  diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
}

/** Returns Biome's findings, with this project's biome.json, in a project of only these files. */
export async function biomeLint(files: Record<string, string>): Promise<Finding[]> {
  await using folder = await temporaryFolder();
  await cp(join(root, 'biome.json'), join(folder.path, 'biome.json'));
  await write(folder.path, files);
  const command = ['biome', 'lint', '--reporter=json', '--max-diagnostics=none'];
  const { diagnostics } = await run<BiomeReport>(folder.path, [...command, '--error-on-warnings']);
  return diagnostics.map(({ category, location }) => ({
    rule: category.split('/').at(-1) ?? category,
    path: location.path,
    line: location.start.line,
  }));
}

/** Returns oxlint's type-aware findings in these files, with this project's settings. */
export async function oxlint(files: Record<string, string>): Promise<Finding[]> {
  await using folder = await temporaryFolder();
  await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'));
  await cp(join(root, 'tsconfig.json'), join(folder.path, 'tsconfig.json'));
  await cp(join(root, '.oxlintrc.json'), join(folder.path, '.oxlintrc.json'));
  await write(folder.path, files);
  const command = ['oxlint', '--type-aware', '-c', '.oxlintrc.json', '--format=json', 'src'];
  const { diagnostics } = await run<OxlintReport>(folder.path, command);
  return diagnostics.map(({ code, filename, labels }) => ({
    rule: /\((.+)\)/.exec(code)?.[1] ?? code,
    path: filename,
    line: labels[0]?.span.line ?? 0,
  }));
}

/** Throws if the exit code contradicts the list, so that a linter that did not run never passes. */
async function run<Report extends { diagnostics: unknown[] }>(
  cwd: string,
  [tool = '', ...args]: string[],
): Promise<Report> {
  const binary = join(root, 'node_modules/.bin', tool);
  const child = Bun.spawn([binary, ...args], { cwd, stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const failed = (await child.exited) !== 0;
  const report: Report = JSON.parse(stdout);
  if (failed !== report.diagnostics.length > 0) throw new Error(`${tool}: ${stdout}${stderr}`);
  return report;
}

async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, source] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await Bun.write(join(folder, path), `${source}\n`);
  }
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'hutch-lint-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
