/** Pure: the numbers at the top of a dashboard. A count leads to exactly the list it counts; a share or a duration is of no list. */
import type { DashboardRead } from "@/api/generated";
import { linkTo, linkToLevel, OPEN, type Link } from "./model";

export interface Tile {
  key: string;
  value: string;
  /** What the number is of, or the same by the clock on the wall. */
  hint?: { key: string; values: Record<string, string> };
  to?: Link | string;
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
  count("late", d.open_by_level.BREACHED ?? 0, linkToLevel(d.narrow, "BREACHED"));
  count("created", sum("created"), linkTo(d.narrow, {}, [{ field: "created_at", from: first }]));
  count("completed", sum("completed"), linkTo(d.narrow, {}, [{ field: "completed_at", from: first }]));
  const judged = d.service_level.kept + d.service_level.late;
  made.push({
    key: "level",
    value: d.service_level.share === null ? "–" : share(d.service_level.share),
    hint: judged ? { key: "of", values: { n: number(judged) } } : undefined,
  });
  for (const [key, working, wall] of [
    ["response", d.first_response_working, d.first_response],
    ["resolution", d.resolution_working, d.resolution],
  ] as const) {
    // what has no service level has no working time: then the clock on the wall is all there is
    const hasWorking = working.p50 !== null;
    made.push({
      key,
      value: took(hasWorking ? working.p50 : wall.p50),
      hint:
        wall.p50 === null
          ? undefined
          : hasWorking
            ? { key: "wall", values: { time: took(wall.p50) } }
            : { key: "onlyWall", values: {} },
    });
  }
  return made;
}
