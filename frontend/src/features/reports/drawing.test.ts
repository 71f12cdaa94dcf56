import { describe, expect, it } from "vitest";
import { axes, inTwo } from "./drawing";
import { pictureOf } from "./custom/model";
import type { Colours } from "./palette";

const colours = { series: [] } as unknown as Colours;
const labels = ["In review", "Approved", "Rejected", "In progress", "Completed", "Closed"];

describe("labels have room", () => {
  it("in two lines, a sign between words at the end of the first", () => {
    expect(inTwo("Waiting for the requester")).toBe("Waiting for\nthe requester");
    expect(inTwo("Nov 16 – Nov 22")).toBe("Nov 16 –\nNov 22");
    expect(inTwo("Henrik Lindqvist · Department head")).toBe("Henrik Lindqvist ·\nDepartment head");
    expect(inTwo("Alone")).toBe("Alone");
  });
  it("flat where the picture is wide, else on their side", () => {
    const table = { columns: ["Status", "Requests"], rows: labels.map((label) => ({ cells: [label, 1] })) };
    const rotated = (room: number) =>
      (pictureOf("BAR", table)(colours, room).xAxis as { axisLabel: { rotate: number } }).axisLabel.rotate;
    expect(rotated(700)).toBe(0);
    expect(rotated(260)).toBe(35);
  });
  it("shares go from nothing to all of it", () => {
    const scale = (room: number) => axes(colours, labels, true, "%", room).xAxis;
    expect(scale(400)).toMatchObject({ max: 100, interval: 25 });
    expect(scale(260)).toMatchObject({ max: 100, interval: 50 });
  });
});
