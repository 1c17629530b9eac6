/** A page's markup, as strictly as XML has it: every element closed, every attribute quoted, every id once. */

const VOID: ReadonlySet<string> = new Set(['meta', 'wbr', 'br', 'img', 'link', 'input', 'hr']);
/** Their content is no markup. */
const RAW: ReadonlySet<string> = new Set(['script', 'style']);
const TAG = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>/y;
const ATTRIBUTE = /([\w:-]+)="([^"]*)"/g;

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Every element of the page, in order. Throws at the first place that is not well formed. */
export function parse(html: string): Element[] {
  if (!html.startsWith('<!DOCTYPE html>')) throw new Error('no doctype');
  const elements: Element[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  for (let at = '<!DOCTYPE html>'.length; at < html.length; ) {
    if (html[at] === '&' && !/^&(amp|lt|gt|quot|#39);/.test(html.slice(at, at + 8)))
      throw failure(html, at, 'a bare &');
    if (html[at] === '>') throw failure(html, at, 'a bare >');
    if (html[at] !== '<') {
      at++;
      continue;
    }
    TAG.lastIndex = at;
    const [tag, close, name, rest, self] = (TAG.exec(html) ?? []) as unknown as string[];
    if (tag === undefined || name === undefined) throw failure(html, at, 'no tag');
    at += tag.length;
    if (close === '/') {
      if (open.pop() !== name) throw failure(html, at, `</${name}> closes nothing`);
      continue;
    }
    const attributes = new Map([...(rest ?? '').matchAll(ATTRIBUTE)].map(([, key, value]) => [key!, value!]));
    const id = attributes.get('id');
    if (id !== undefined && ids.has(id)) throw failure(html, at, `a second id ${id}`);
    if (id !== undefined) ids.add(id);
    elements.push({ name, attributes });
    if (self === '/' || VOID.has(name)) continue;
    if (RAW.has(name)) at = html.indexOf(`</${name}>`, at) + name.length + 3;
    else open.push(name);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return elements;
}

const failure = (html: string, at: number, what: string): Error =>
  new Error(`${what} at ${at}: ${html.slice(Math.max(0, at - 60), at)}▸${html.slice(at, at + 60)}`);

/** Text of the page without its markup; runs of blanks are one. */
export const textOf = (html: string): string =>
  html
    .replace(/<(script|style)>[\s\S]*?<\/\1>/g, '')
    .replace(/<(wbr|\/?span|\/?strong|\/?code)\b[^>]*>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
