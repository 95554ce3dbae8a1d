/* A client of WebDriver (https://www.w3.org/TR/webdriver2/), as far as the tests need one. */

type Method = 'GET' | 'POST' | 'DELETE';

/** Where a command goes: a window, or a frame inside, by its index. */
export interface Place {
  window: string;
  frame?: number;
}

export interface Session {
  /** Runs a command, one at a time, since each is for the window and the frame that were chosen last. */
  command<T>(place: Place, method: Method, path: string, body?: object): Promise<T>;
  /** A new window. */
  open(): Promise<string>;
  /** Those that pages have opened as well. */
  windows(): Promise<string[]>;
  end(): Promise<void>;
}

export async function startSession(driver: string, capabilities: object): Promise<Session> {
  const { sessionId } = await send<{ sessionId: string }>('POST', `${driver}/session`, {
    capabilities: { alwaysMatch: capabilities },
  });
  const address = `${driver}/session/${sessionId}`;
  /** The one that was there from the beginning, until it is given away. */
  let spare: string | undefined = await send<string>('GET', `${address}/window`);
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = last.then(action);
    last = result.catch(() => undefined);
    return result;
  }

  return {
    command: <T>({ window, frame }: Place, method: Method, path: string, body?: object) =>
      inTurn(async () => {
        await send('POST', `${address}/window`, { handle: window });
        if (frame !== undefined) await send('POST', `${address}/frame`, { id: frame });
        return send<T>(method, address + path, body);
      }),
    open: () =>
      inTurn(async () => {
        const given = spare;
        spare = undefined;
        if (given) return given;
        // From one that is there: the last one that was spoken to may be closed.
        const [open] = await send<string[]>('GET', `${address}/window/handles`);
        await send('POST', `${address}/window`, { handle: open });
        const { handle } = await send<{ handle: string }>('POST', `${address}/window/new`, {
          type: 'window',
        });
        return handle;
      }),
    windows: () => inTurn(() => send<string[]>('GET', `${address}/window/handles`)),
    async end() {
      await last;
      await send('DELETE', address);
    },
  };
}

/** @throws with what the driver says, which is what the page has thrown where a script failed */
async function send<T>(method: Method, url: string, body: object = {}): Promise<T> {
  const init = method === 'POST' ? { method, body: JSON.stringify(body) } : { method };
  const response = await fetch(url, init);
  const { value } = (await response.json()) as { value: T & { message: string } };
  if (!response.ok) throw new Error(value.message);
  return value;
}
