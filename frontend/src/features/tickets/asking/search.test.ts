import { describe, expect, it } from "vitest";
import { indexOf, isNear, oftenAsked, search, single, wordsOf } from "./search";

const kind = (name: string, category: string, description: string, ...keywords: string[]) => ({
  name,
  category,
  description,
  keywords,
  form: {},
});
const types = [
  kind("Facility request", "Facilities", "Rooms, keys, furniture, repairs", "badge", "Schlüssel", "desk"),
  kind(
    "Finance request",
    "Finance",
    "Reimbursements, purchase orders",
    "invoice",
    "expenses",
    "travel costs",
  ),
  kind("HR request", "HR", "Contracts, certificates, benefits", "vacation", "days off", "sick", "payslip"),
  {
    ...kind("IT hardware", "IT", "A new laptop, monitor, phone or headset", "computer", "notebook"),
    form: { properties: { code: { title: "Budget code", enum: ["Blue", "Green"] }, odd: { title: 7 } } },
  },
  kind("IT support", "IT", "Something does not work: network, printer", "computer", "broken", "password"),
];
const index = indexOf(types);
const first = (typed: string) => search(index, typed)[0]?.name;

describe("what somebody means", () => {
  it.each([
    ["computer broken", "IT support"],
    ["my computer is broken", "IT support"],
    ["days off", "HR request"],
    ["I need three days off please", "HR request"],
    ["badge", "Facility request"],
    ["invoices", "Finance request"],
    ["travel cost", "Finance request"],
    ["notebook", "IT hardware"],
    ["lapto", "IT hardware"],
    ["pasword", "IT support"],
    ["passowrd", "IT support"],
    ["vaccation", "HR request"],
    ["reimbursment", "Finance request"],
    ["Noteböök", "IT hardware"],
    ["schlussel", "Facility request"],
    ["SCHLÜSSEL", "Facility request"],
    ["hr", "HR request"],
    ["noteboks", "IT hardware"],
    ["compu", "IT hardware"],
    ["copmute", "IT hardware"],
    ["budget", "IT hardware"],
    ["printers", "IT support"],
  ])("%s → %s", (typed, name) => expect(first(typed)).toBe(name));

  it("is everything, in its order, before a word is typed", () => {
    for (const typed of ["", "  ", "?!"]) expect(search(index, typed)).toEqual(types);
  });
  it("is nothing when no word fits", () => {
    for (const typed of ["zzzz", "xq", "12345"]) expect(search(index, typed)).toEqual([]);
  });
  it("is still everything after words that say nothing", () => {
    expect(search(index, "I need a new")).toEqual(types);
    expect(first("new l")).toBe("IT hardware");
  });
  it("puts what fits every word before what fits one", () => {
    expect(search(index, "computer password").map((k) => k.name)).toEqual(["IT support", "IT hardware"]);
  });
  it("is found at once among hundreds", () => {
    const many = indexOf(Array.from({ length: 400 }, (_, n) => ({ ...types[n % 5]!, name: `Kind ${n}` })));
    const began = performance.now();
    expect(search(many, "compter brocken and a lng sentence behind it").length).toBe(160);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe("words", () => {
  it("are bare", () => expect(wordsOf("Straße/Über 5-Öl")).toEqual(["strasse", "uber", "5", "ol"]));
  it.each([
    ["invoices", "invoice"],
    ["batteries", "battery"],
    ["boxes", "box"],
    ["glasses", "glass"],
    ["glass", "glass"],
    ["bus", "bus"],
    ["keys", "key"],
    ["ties", "tie"],
    ["as", "as"],
  ])("%s is one %s", (many, one) => expect(single(many)).toBe(one));
  it.each([
    ["laptop", "latpop", 1, true],
    ["laptop", "tlpaop", 1, false],
    ["laptop", "alptop", 1, true],
    ["laptop", "lapto", 1, true],
    ["laptop", "lappptop", 1, false],
    ["laptop", "xxxxop", 2, false],
    ["abcdef", "uvwxyz", 1, false],
    ["", "a", 1, true],
  ])("%s and %s within %i: %s", (a, b, most, is) => expect(isNear(a, b, most)).toBe(is));
});

describe("what is often asked", () => {
  it("is the most frequent and the latest", () => {
    expect(oftenAsked(["HR", "IT", "IT", "FIN"], 2)).toEqual(["IT", "HR"]);
    expect(oftenAsked([], 3)).toEqual([]);
  });
});
