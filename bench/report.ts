/** A bench's output: a heading, the machine, tables, lines. To the terminal at once, to bench/results/NAME.md at the end. @module */
import { mkdirSync, writeFileSync } from 'node:fs';
import { machine } from './machine.js';

export class Report {
  readonly #lines: string[];
  #isSound = true;

  constructor(
    readonly name: string,
    title: string,
    /** What is measured and how, a few sentences. */
    about: string,
  ) {
    this.#lines = [`# ${title}`, '', about, '', `Machine: ${machine()}.`];
    process.stdout.write(`\n${this.#lines.join('\n')}\n`);
  }

  /** False once outputs differed. */
  get isSound(): boolean {
    return this.#isSound;
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((cell, k) => Math.max(cell.length, ...rows.map((row) => (row[k] ?? '').length)));
    const line = (cells: readonly string[]): string =>
      `| ${widths.map((width, k) => (cells[k] ?? '').padEnd(width)).join(' | ')} |`;
    this.#say('', line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line));
  }

  line(text: string): void {
    this.#say('', text);
  }

  /** Says whether two outputs are equal; a bench whose outputs differ fails, whatever its times. */
  equal(what: string, a: unknown, b: unknown): void {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    if (left === right) {
      this.line(`Outputs equal: ${what}.`);
      return;
    }
    this.#isSound = false;
    this.line(`**OUTPUTS DIFFER**: ${what}: ${left} against ${right}.`);
  }

  /** Says a target of the project and whether this run met it. */
  target(what: string, value: number, wanted: 'at least' | 'at most', bound: number): void {
    const isMet = wanted === 'at least' ? value >= bound : value <= bound;
    this.line(`Target: ${what} ${wanted} ${bound}: ${isMet ? 'met' : 'NOT met'} (${value.toFixed(2)}).`);
  }

  #say(...lines: string[]): void {
    this.#lines.push(...lines);
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  /** Writes the file. */
  save(folder: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/${this.name}.md`, `${this.#lines.join('\n')}\n`);
  }
}
