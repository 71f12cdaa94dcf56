import { beforeEach, describe, expect, it } from "vitest";
import { Problem } from "@/api/problem";
import { blank, textOf, type Content } from "./content";
import { draftKeeper, LATEST, QUIET, type Kept, type Local, type Server } from "./keeper";

const say = (title: string): Content => ({ ...blank(), title });
const problem = (status: number, code = "x") => new Problem(status, { code });

/** A server, a device and a clock in memory. */
let drafts: Map<string, Kept>;
let shelf: Map<string, Local>;
let isFull: boolean;
let broken: (() => Problem | null) | null;
let loses: boolean;
let calls: string[];
let at: number;
let due: { run: () => void; when: number }[];

beforeEach(() => {
  drafts = new Map();
  shelf = new Map();
  [isFull, broken, loses, calls, at, due] = [false, null, false, [], 1_000_000, []];
});

const server: Server = {
  async read(id) {
    calls.push("read");
    const error = broken?.();
    if (error) throw error;
    const found = drafts.get(id);
    if (!found) throw problem(404);
    return structuredClone(found);
  },
  async create(id, ticket_type, content) {
    calls.push(`create ${content.title}`);
    const error = broken?.();
    if (error) throw error;
    if (drafts.has(id)) throw problem(409, "draft_exists");
    const made = { ticket_type, content: structuredClone(content), version: 1, updated_at: `at ${at}` };
    drafts.set(id, made);
    if (loses) throw problem(0);
    return made;
  },
  async change(id, version, content) {
    calls.push(`change ${content.title}`);
    const error = broken?.();
    if (error) throw error;
    const found = drafts.get(id);
    if (!found) throw problem(404);
    if (found.version !== version) throw problem(412);
    drafts.set(id, {
      ...found,
      content: structuredClone(content),
      version: version + 1,
      updated_at: `at ${at}`,
    });
    if (loses) throw problem(0);
    return drafts.get(id)!;
  },
};
const keep = (id = "a") =>
  draftKeeper(
    id,
    "IT",
    server,
    {
      get: (key) => shelf.get(key) ?? null,
      put: (key, local) => !isFull && !!shelf.set(key, structuredClone(local)),
      remove: (key) => void shelf.delete(key),
    },
    {
      now: () => at,
      later(run, ms) {
        const one = { run, when: at + ms };
        due.push(one);
        return () => (due = due.filter((d) => d !== one));
      },
    },
  );
async function pass(ms: number): Promise<void> {
  const end = at + ms;
  for (;;) {
    const next = due.filter((d) => d.when <= end).sort((a, b) => a.when - b.when)[0];
    if (!next) break;
    due = due.filter((d) => d !== next);
    at = Math.max(at, next.when);
    next.run();
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
  }
  at = end;
}
const elsewhere = (title: string, id = "a") => {
  const found = drafts.get(id)!;
  drafts.set(id, { ...found, content: say(title), version: found.version + 1, updated_at: "later" });
};

describe("what is typed", () => {
  it("lies on this device at once, and on the server within two seconds", async () => {
    const keeper = keep();
    expect(keeper.state.is).toBe("new");
    keeper.change(say("A"));
    expect([shelf.get("a")?.base, keeper.state.is]).toEqual([0, "saving"]);
    await pass(QUIET);
    expect(calls).toEqual(["create A"]);
    expect([keeper.state.is, keeper.state.savedAt, shelf.size]).toEqual(["saved", `at ${at}`, 0]);
    keeper.change(say("AB"));
    await pass(QUIET);
    expect([drafts.get("a")?.version, calls.at(-1)]).toEqual([2, "change AB"]);
  });
  it("is kept while somebody types without a pause", async () => {
    const keeper = keep();
    for (let n = 0; n < 30; n += 1) {
      keeper.change(say("x".repeat(n + 1)));
      await pass(100);
    }
    expect(calls.length).toBe(1);
    expect(drafts.get("a")).toBeDefined();
    expect(LATEST).toBeLessThan(2000);
  });
  it("costs nothing while it says the same", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    keeper.change(say("A"));
    await pass(10_000);
    expect([calls.length, shelf.size]).toEqual([1, 0]);
  });
  it("is kept even when nothing was typed yet, once it begun", async () => {
    const keeper = keep();
    keeper.change(blank());
    await pass(QUIET);
    expect(drafts.size).toBe(1);
  });
  it("is sent again when it was changed on its way", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    const one = keeper.push();
    keeper.change(say("B"));
    const two = keeper.push();
    await Promise.all([one, two]);
    await pass(QUIET);
    expect(drafts.get("a")?.content).toMatchObject({ title: "B" });
    expect(shelf.size).toBe(0);
  });
});

describe("without a server", () => {
  it("lies on this device, and is tried again, later and later", async () => {
    broken = () => problem(0);
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    expect([keeper.state.is, shelf.get("a")?.content]).toEqual(["held", say("A")]);
    await pass(600_000);
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.length).toBeLessThan(20);
    broken = null;
    keeper.retry();
    await pass(0);
    expect([keeper.state.is, shelf.size]).toEqual(["saved", 0]);
    keeper.retry();
    await pass(60_000);
    expect(due.length).toBe(0);
  });
  it("is found again after a crash", async () => {
    broken = () => problem(503);
    keep().change(say("A"));
    const later = keep();
    expect(await later.open()).toEqual(say("A"));
    expect(later.state.is).toBe("held");
    broken = null;
    await pass(60_000);
    expect(drafts.get("a")?.content).toEqual(say("A"));
  });
  it("can't be opened when nothing of it lies here", async () => {
    broken = () => problem(0);
    await expect(keep().open()).rejects.toThrow();
  });
  it("says when not even this device can keep it", async () => {
    isFull = true;
    const keeper = keep();
    keeper.change(say("A"));
    expect(keeper.state.is).toBe("lost");
    broken = () => problem(0);
    await pass(QUIET);
    expect(keeper.state.is).toBe("lost");
    broken = null;
    keeper.retry();
    await pass(0);
    expect(keeper.state.is).toBe("saved");
  });
  it("keeps here what the server does not take", async () => {
    broken = () => problem(409, "too_many_drafts");
    const keeper = keep();
    keeper.change(say("A"));
    await pass(60_000);
    expect([keeper.state.is, calls.length, shelf.size]).toEqual(["refused", 1, 1]);
    isFull = true;
    keeper.change(say("B"));
    await pass(QUIET);
    expect(keeper.state.is).toBe("lost");
  });
  it("makes no second one when an answer gets lost", async () => {
    loses = true;
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    expect(keeper.state.is).toBe("held");
    loses = false;
    keeper.change(say("AB"));
    await pass(10_000);
    expect(keeper.state.is).toBe("saved");
    await pass(10_000);
    expect(drafts.get("a")).toMatchObject({ content: say("AB"), version: 2 });
    loses = true;
    keeper.change(say("ABC"));
    await pass(QUIET);
    loses = false;
    await pass(10_000);
    expect([keeper.state.is, drafts.get("a")?.version]).toEqual(["saved", 3]);
  });
});

describe("on two devices", () => {
  async function apart() {
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    elsewhere("theirs");
    keeper.change(say("mine"));
    await pass(QUIET);
    expect(keeper.state.is).toBe("conflict");
    return keeper;
  }
  it("both versions are held, and nothing is overwritten", async () => {
    const keeper = await apart();
    expect(keeper.state.theirs?.content).toEqual(say("theirs"));
    keeper.change(say("mine, more"));
    await pass(60_000);
    expect(drafts.get("a")?.content).toEqual(say("theirs"));
    expect(shelf.get("a")?.content).toEqual(say("mine, more"));
    const later = keep();
    expect(await later.open()).toEqual(say("mine, more"));
    expect(later.state.is).toBe("conflict");
  });
  it("mine can stay", async () => {
    const keeper = await apart();
    expect(keeper.choose("mine")).toEqual(say("mine"));
    await pass(0);
    expect([drafts.get("a")?.content, keeper.state.is, shelf.size]).toEqual([say("mine"), "saved", 0]);
  });
  it("theirs can stay", async () => {
    const keeper = await apart();
    expect(keeper.choose("theirs")).toEqual(say("theirs"));
    await pass(60_000);
    expect([drafts.get("a")?.version, keeper.state.is, shelf.size]).toEqual([2, "saved", 0]);
    expect(keeper.choose("mine")).toEqual(say("theirs"));
  });
  it("the same words are no conflict", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    elsewhere("same");
    keeper.change(say("same"));
    await pass(QUIET);
    expect(keeper.state.is).toBe("saved");
    shelf.set("a", { ticket_type: "IT", content: say("same"), base: 1, at: "" });
    const later = keep();
    await later.open();
    expect([later.state.is, shelf.size]).toEqual(["saved", 0]);
  });
  it("what was discarded or sent there can be kept from here", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    await pass(QUIET);
    drafts.clear();
    keeper.change(say("B"));
    await pass(QUIET);
    expect(keeper.state.is).toBe("gone");
    const later = keep();
    await later.open();
    expect(later.state.is).toBe("gone");
    later.choose("mine");
    await pass(0);
    expect(drafts.get("a")).toMatchObject({ content: say("B"), version: 1 });
  });
});

describe("opening", () => {
  it("gives what the server has", async () => {
    drafts.set("a", { ticket_type: "IT", content: say("A"), version: 4, updated_at: "then" });
    const keeper = keep();
    expect(await keeper.open()).toEqual(say("A"));
    expect([keeper.state.is, keeper.state.savedAt, keeper.isDirty()]).toEqual(["saved", "then", false]);
  });
  it("gives nothing when there is none", async () => expect(await keep().open()).toBeNull());
  it("goes on with what the server never got", async () => {
    shelf.set("a", { ticket_type: "IT", content: say("A"), base: 0, at: "" });
    const keeper = keep();
    expect(await keeper.open()).toEqual(say("A"));
    await pass(0);
    expect(drafts.get("a")?.content).toEqual(say("A"));
  });
  it("goes on with what was written over the version there is", async () => {
    drafts.set("a", { ticket_type: "IT", content: say("A"), version: 2, updated_at: "then" });
    shelf.set("a", { ticket_type: "IT", content: say("AB"), base: 2, at: "" });
    const keeper = keep();
    expect(await keeper.open()).toEqual(say("AB"));
    await pass(QUIET);
    expect(drafts.get("a")).toMatchObject({ content: say("AB"), version: 3 });
  });
});

describe("the end", () => {
  it("leaves nothing behind, whatever is still on its way", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    broken = () => problem(0);
    const push = keeper.push();
    keeper.end();
    await push;
    keeper.change(say("B"));
    await pass(60_000);
    expect([keeper.state.is, shelf.size, due.length]).toEqual(["ended", 0, 0]);
  });
  it("sends what waits when the page is left, once", async () => {
    const keeper = keep();
    keeper.change(say("A"));
    keeper.leave();
    await pass(0);
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
    expect(drafts.get("a")?.content).toEqual(say("A"));
    keeper.leave();
    expect(calls.length).toBe(1);
    broken = () => problem(0);
    keeper.change(say("B"));
    keeper.leave();
    for (let n = 0; n < 20; n += 1) await Promise.resolve();
    expect([shelf.get("a")?.content, due.length]).toEqual([say("B"), 0]);
  });
  it("is the same text for the same content", () => expect(textOf(say("A"))).toBe(textOf(say("A"))));
});
