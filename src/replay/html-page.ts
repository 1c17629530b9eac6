/**
 * The page a replay is shown on: how text is escaped, how it looks, what stands around the sections. One file, nothing fetched: a bundle
 * may come from a stranger, so the page also forbids itself everything but its own style and its own few lines of script.
 * @module
 */
import { createHash } from 'node:crypto';
import { STYLE } from './html-style.js';

/**
 * Markup, already escaped. Text is a `string` and is escaped on its way in; the two cannot be taken for each other, not even when a bundle
 * holds an object that looks like this one.
 */
export class Markup {
  constructor(readonly markup: string) {}
}
export type Content = Markup | string | number | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What a browser would act on or that would make text read otherwise than it is stored; as in cli/output.ts. */
const UNSAFE = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from a store on one line: what has no picture of its own is written as an escape. */
export const visible = (text: string): string =>
  text.replace(UNSAFE, (unit) => SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const escapeMarkup = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

/** Lines keep their breaks; everything else unsafe is made visible. */
const plain = (text: string): string => text.split('\n').map(visible).map(escapeMarkup).join('\n');

export function render(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.markup;
  if (typeof content === 'number') return number(content);
  if (Array.isArray(content)) return (content as readonly Content[]).map(render).join('');
  return plain(String(content));
}

/** Markup of a template: its own text is taken as it is, what stands in `${}` is escaped unless it is markup. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Markup {
  let markup = parts[0]!;
  contents.forEach((content, k) => {
    markup += render(content) + parts[k + 1]!;
  });
  return new Markup(markup);
}

/** The same for pictures: numbers are coordinates, and are not grouped by thousands. */
export function svg(parts: TemplateStringsArray, ...contents: Content[]): Markup {
  return html(parts, ...contents.map((content) => (typeof content === 'number' ? raw(coordinate(content)) : content)));
}

const coordinate = (n: number): string => String(Math.round(n * 100) / 100);

/** Markup, style and script of our own. */
const raw = (markup: string): Markup => new Markup(markup);

// --- small words ----------------------------------------------------------------------------------------------------------

export const number = (n: number): string => n.toLocaleString('en-US');
export const hex = (n: number): string => `0x${n.toString(16)}`;
export const bytes = (n: number): string => `${number(n)} byte${n === 1 ? '' : 's'}`;
export const count = (n: number, noun: string, plural = `${noun}s`): string =>
  `${number(n)} ${n === 1 ? noun : plural}`;
export const tagHex = (tag: number): string => `0x${tag.toString(16).padStart(8, '0')}`;

// --- parts ----------------------------------------------------------------------------------------------------------------

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Content;
}

export const section = ({ id, title, body }: Section): Markup =>
  html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}
</section>
`;

/** Names and values. Values that are undefined are left out. */
export function fields(rows: readonly (readonly [string, Content])[]): Markup {
  const shown = rows.filter(([, value]) => value !== undefined);
  return html`<dl class="fields">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export const code = (text: string): Markup => html`<code>${text}</code>`;

/** Something wider than a phone. */
export const wide = (label: string, body: Content): Markup =>
  html`<div class="wide" role="region" aria-label="${label}" tabindex="0">${body}</div>`;

/** What the colours of a picture mean. */
export const legend = (entries: readonly (readonly [name: string, text: string])[]): Markup =>
  html`<ul class="legend">${entries.map(([name, text]) => html`<li><svg class="swatch" viewBox="0 0 14 14" aria-hidden="true"><rect class="${name}" x="1" y="1" width="12" height="12"/></svg>${text}</li>`)}</ul>`;

// --- the document ---------------------------------------------------------------------------------------------------------

export interface Page {
  /** The plain sentence. */
  readonly title: string;
  readonly body: Content;
  /** Ours, never a store's: the few lines that make pictures answer. */
  readonly script: string;
}

export function page({ title, body, script }: Page): string {
  const policy = `default-src 'none'; style-src ${fingerprint(STYLE)}; script-src ${fingerprint(script)}`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
${body}
<script>${raw(script)}</script>
</body>
</html>
`.markup;
}

/** What a Content-Security-Policy knows our own style and script by. */
const fingerprint = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
