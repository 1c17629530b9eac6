/** A headless Chromium, spoken to over its debugging pipe: what a page looks like, and what it says on its console. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
export const CHROMIUM: string | undefined = NAMES.find((name) => spawnSync(name, ['--version']).status === 0);

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
];

type Answer = Record<string, unknown>;
interface Message {
  id?: number;
  method?: string;
  params?: Answer;
  result?: Answer;
  error?: { message: string };
}

export interface Look {
  /** Errors, warnings and exceptions of the page, and requests it made besides itself. */
  readonly complaints: string[];
  readonly png: Buffer;
  /** What `expression` came to. */
  readonly value: unknown;
}

export interface View {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
  /** Evaluated in the page; its value must be JSON. */
  readonly expression: string;
}

export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile = mkdtempSync(join(tmpdir(), 'pstwright-chromium-'));
  readonly #waiting = new Map<number, (message: Message) => void>();
  #events: Message[] = [];
  #next = 1;

  constructor() {
    this.#child = spawn(CHROMIUM!, [...FLAGS, `--user-data-dir=${this.#profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    (this.#child.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const texts = (rest + chunk).split('\0');
      rest = texts.pop()!;
      for (const text of texts) this.#take(JSON.parse(text) as Message);
    });
  }

  #take(message: Message): void {
    if (message.id === undefined) this.#events.push(message);
    else this.#waiting.get(message.id)?.(message);
  }

  async #send(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    const id = this.#next++;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async #event(method: string): Promise<void> {
    while (!this.#events.some((event) => event.method === method))
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Opens a file and looks at it. */
  async look(url: string, { width, height, dark, expression }: View): Promise<Look> {
    this.#events = [];
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = (await this.#send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string;
    };
    const send = (method: string, params?: Answer): Promise<Answer> => this.#send(method, params, sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    const scheme = { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' };
    await send('Emulation.setEmulatedMedia', { features: [scheme] });
    await send('Page.navigate', { url });
    await this.#event('Page.loadEventFired');
    const { result, exceptionDetails } = (await send('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value: unknown };
      exceptionDetails?: { text: string };
    };
    const { data } = (await send('Page.captureScreenshot', { captureBeyondViewport: true })) as { data: string };
    const complaints = this.#events.flatMap(({ method, params }) => complaintsOf(method, params ?? {}, url));
    if (exceptionDetails !== undefined) complaints.push(exceptionDetails.text);
    await this.#send('Target.closeTarget', { targetId });
    return { complaints, png: Buffer.from(data, 'base64'), value: result.value };
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    void this.#send('Browser.close').catch(() => {});
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(late);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function complaintsOf(method: string | undefined, params: Answer, url: string): string[] {
  if (method === 'Runtime.exceptionThrown' || method === 'Runtime.consoleAPICalled') return [JSON.stringify(params)];
  if (method === 'Log.entryAdded') return [JSON.stringify(params.entry)];
  if (method !== 'Network.requestWillBeSent') return [];
  const { request } = params as { request: { url: string } };
  return request.url === url ? [] : [`asked for ${request.url}`];
}
