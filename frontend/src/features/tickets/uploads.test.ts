import { beforeEach, describe, expect, it, vi } from "vitest";
import { canOpen, kindOf } from "./attachments";
import { MOST_BYTES, refusalOf, uploadQueue, type Send } from "./uploads";

/** A file of a size that is only claimed. */
function file(name: string, size = 10): File {
  return Object.defineProperty(new File(["x"], name), "size", { value: size });
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A line one controls: every sending waits until it is told how it ends. */
function line() {
  const out: { name: string; finish(): void; fail(error: unknown): void; progress(n: number): void }[] = [];
  const keys: string[] = [];
  const send: Send<string> = (upload, _, { signal, onProgress }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
      const { name } = upload.file;
      keys.push(upload.key);
      out.push({ name, finish: () => resolve(name), fail: reject, progress: onProgress });
    });
  return { out, keys, send, names: () => out.map((o) => o.name) };
}

let wire: ReturnType<typeof line>;
const arrived = vi.fn();
beforeEach(() => {
  wire = line();
  arrived.mockReset();
});
const picked = (...names: string[]) => names.map((name) => ({ file: file(name) }));

describe("a queue of uploads", () => {
  it("sends nothing before it knows the ticket, then three at a time and in order", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a", "b", "c", "d", "e"));
    expect(wire.out).toHaveLength(0);
    expect(queue.isBusy).toBe(false);
    const all = queue.start(7);
    expect(wire.names()).toEqual(["a", "b", "c"]);
    wire.out[1]?.finish();
    await settled();
    expect(wire.names()).toEqual(["a", "b", "c", "d"]);
    expect(arrived).toHaveBeenCalledWith("b", 7);
    for (const n of [0, 2, 3]) wire.out[n]?.finish();
    await settled();
    wire.out[4]?.finish();
    expect(await all).toBe(true);
    expect(queue.items).toHaveLength(0);
    expect(queue.isBusy).toBe(false);
  });

  it("tells how far each is, and all together by their sizes", () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add([{ file: file("big", 300) }, { file: file("small", 100) }]);
    void queue.start(7);
    wire.out[0]?.progress(0.5);
    expect(queue.items[0]).toMatchObject({ state: "sending", sent: 0.5 });
    expect(queue.share).toBeCloseTo(150 / 400);
    wire.out[1]?.progress(1);
    expect(queue.share).toBeCloseTo(250 / 400);
  });

  it("sends a file under the same key at every try, and no two files under one", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a", "a"));
    const all = queue.start(7);
    queue.cancel(queue.items[0]?.id ?? 0);
    await settled();
    queue.retry(queue.items[0]?.id ?? 0);
    expect(wire.keys).toHaveLength(3);
    expect(wire.keys[2]).toBe(wire.keys[0]);
    expect(wire.keys[1]).not.toBe(wire.keys[0]);
    for (const sent of wire.out) sent.finish();
    expect(await all).toBe(true);
  });

  it("cancels what is on its way and what waits, and makes room for the next", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a", "b", "c", "d", "e"));
    const all = queue.start(7);
    const [a, , , d] = queue.items.map((u) => u.id);
    queue.cancel(d ?? 0);
    queue.cancel(a ?? 0);
    await settled();
    expect(queue.items.map((u) => u.state)).toEqual([
      "cancelled",
      "sending",
      "sending",
      "cancelled",
      "sending",
    ]);
    expect(wire.names()).toEqual(["a", "b", "c", "e"]);
    for (const n of [1, 2, 3]) wire.out[n]?.finish();
    expect(await all).toBe(false);
  });

  it("keeps the file of what failed, and sends it once more", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a"));
    const all = queue.start(7);
    const broken = new Error("offline");
    wire.out[0]?.progress(0.8);
    wire.out[0]?.fail(broken);
    expect(await all).toBe(false);
    expect(queue.items[0]).toMatchObject({ state: "failed", error: broken });
    queue.retry(queue.items[0]?.id ?? 0);
    expect(queue.items[0]).toMatchObject({ state: "sending", sent: 0, error: null });
    expect(wire.names()).toEqual(["a", "a"]);
    wire.out[1]?.finish();
    await settled();
    expect(queue.items).toHaveLength(0);
  });

  it("tries again what was cancelled while it still waited", () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a", "b"));
    queue.cancel(queue.items[0]?.id ?? 0);
    void queue.start(7);
    expect(wire.names()).toEqual(["b"]);
    queue.retry(queue.items[0]?.id ?? 0);
    expect(wire.names()).toEqual(["b", "a"]);
  });

  it("never sends what is refused, and that holds nothing up", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add([{ file: file("film.mov", MOST_BYTES + 1) }, { file: file("photos"), isFolder: true }]);
    expect(queue.items.map((u) => u.refusal)).toEqual(["tooLarge", "folder"]);
    expect(await queue.start(7)).toBe(true);
    queue.retry(queue.items[0]?.id ?? 0);
    expect(wire.out).toHaveLength(0);
    queue.drop(queue.items[0]?.id ?? 0);
    expect(queue.items).toHaveLength(1);
  });

  it("does not forget a file that is on its way, and stops all of them at once", async () => {
    const queue = uploadQueue(wire.send, arrived);
    queue.add(picked("a", "b", "c", "d"));
    void queue.start(7);
    queue.drop(queue.items[0]?.id ?? 0);
    expect(queue.items).toHaveLength(4);
    queue.cancelAll();
    await settled();
    expect(queue.items.every((u) => u.state === "cancelled")).toBe(true);
    expect(wire.out).toHaveLength(3);
    expect(queue.isBusy).toBe(false);
  });
});

it("refuses by size and name before anything is sent", () => {
  expect(refusalOf({ file: file("a.pdf", MOST_BYTES) })).toBeNull();
  expect(refusalOf({ file: file("a.pdf", MOST_BYTES + 1) })).toBe("tooLarge");
  expect(refusalOf({ file: file("  ") })).toBe("noName");
  expect(refusalOf({ file: file("empty.txt", 0) })).toBeNull();
});

it("knows a file by what it is, and by its name where that says more", () => {
  expect(kindOf("image/png", "x")).toBe("image");
  expect(kindOf("application/pdf", "x.txt")).toBe("pdf");
  expect(kindOf("text/plain", "costs.CSV")).toBe("sheet");
  expect(kindOf("application/octet-stream", "offer.docx")).toBe("text");
  expect(kindOf("application/zip", "a.zip")).toBe("archive");
  expect(kindOf("application/octet-stream", "page.html")).toBe("other");
});

it("opens what is cleared for all, what is not for its sender, a virus for nobody", () => {
  const one = (scan: string) => ({ scan, uploaded_by: { id: 5 } }) as Parameters<typeof canOpen>[0];
  expect(["NONE", "CLEAN", "PENDING", "FAILED", "INFECTED"].map((s) => canOpen(one(s), 6))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(["PENDING", "FAILED", "INFECTED"].map((s) => canOpen(one(s), 5))).toEqual([true, true, false]);
});
