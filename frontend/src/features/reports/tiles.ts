/** Pure: the numbers at the top of a dashboard. Each leads to exactly the requests it is of; where that is not the number, the hint says how many they are. */
import type { DashboardRead } from "@/api/generated";
import { linksOf, linkTo, linkToLevel, OPEN, WAITING, type Link } from "./model";

export interface Tile {
  key: string;
  value: string;
  /** What the number is of, or the same by the clock on the wall. */
  hint?: { key: string; values: Record<string, string> };
  to: Link | string;
}
interface Says {
  number: (value: number) => string;
  share: (value: number) => string;
  took: (seconds: number | null) => string;
}

export function tilesOf(d: DashboardRead, says: Says, decides: boolean): Tile[] {
  const { number, share, took } = says;
  const first = d.trend[0]?.date ?? "";
  const sum = (key: "created" | "completed") => d.trend.reduce((all, p) => all + p[key], 0);
  const open = OPEN.reduce((all, s) => all + (d.tickets_by_status[s] ?? 0), 0);
  const free = d.load.by === "ASSIGNEE" ? d.load.rows.find((row) => row.id === null) : undefined;
  const made: Tile[] = [];
  const count = (key: string, n: number, to: Tile["to"]) => made.push({ key, value: number(n), to });
  if (decides) count("pending", d.pending_approvals, "/approvals");
  count("open", open, linkTo(d.narrow, { status: OPEN }));
  if (free)
    count(
      "free",
      free.counts.reduce((a, b) => a + b, 0),
      linkTo(d.narrow, { status: OPEN, assignee_id: ["none"] }),
    );
  count(
    "urgent",
    d.backlog.reduce((all, a) => all + (a.by_priority.CRITICAL ?? 0), 0),
    linkTo(d.narrow, { status: OPEN, priority: ["CRITICAL"] }),
  );
  const approval = d.parts.find((p) => p.part === "APPROVAL")?.seconds ?? 0;
  made.push({
    key: "approval",
    value: number(WAITING.reduce((all, s) => all + (d.tickets_by_status[s] ?? 0), 0)),
    // of what was completed: what waits now has no end yet
    hint: d.resolution.count
      ? { key: "approval", values: { time: took(Math.round(approval / d.resolution.count)) } }
      : undefined,
    to: linkTo(d.narrow, { status: WAITING }),
  });
  count("late", d.open_by_level.BREACHED ?? 0, linkToLevel(d.narrow, "BREACHED"));
  count("created", sum("created"), linkTo(d.narrow, {}, [{ field: "created_at", from: first }]));
  count("completed", sum("completed"), linkTo(d.narrow, {}, [{ field: "completed_at", from: first }]));
  const to = linksOf(d);
  const { kept, late, share: inTime } = d.service_level;
  made.push({
    key: "level",
    value: inTime === null ? "–" : share(inTime),
    hint: kept + late ? { key: "of", values: { n: number(kept), of: number(kept + late) } } : undefined,
    to: to.kept,
  });
  count("breached", late, to.late);
  for (const [key, working, wall, links] of [
    ["response", d.first_response_working, d.first_response, [to.responseWorking, to.response]],
    ["resolution", d.resolution_working, d.resolution, [to.resolutionWorking, to.resolution]],
  ] as const) {
    // what has no service level has no working time: then the clock on the wall is all there is
    const hasWorking = working.p50 !== null;
    const said = hasWorking ? working : wall;
    made.push({
      key,
      value: took(said.p50),
      hint: said.count
        ? {
            key: hasWorking ? "wall" : "onlyWall",
            values: { n: number(said.count), time: took(wall.p50) },
          }
        : undefined,
      to: links[hasWorking ? 0 : 1],
    });
  }
  if (d.first_response_level.late + d.first_response_level.kept)
    count("responseLate", d.first_response_level.late, to.responseLate);
  return made;
}

/** How many numbers share each one's row when they stand in rows as even as can be, the fuller ones first. */
export function spread(count: number, rows: number): number[] {
  const full = count % rows;
  return Array.from({ length: rows }, (_, row) => Math.floor(count / rows) + (row < full ? 1 : 0)).flatMap(
    (many) => Array<number>(many).fill(many),
  );
}
