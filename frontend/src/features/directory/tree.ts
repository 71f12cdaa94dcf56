/** Pure: departments as a tree, read from the top. */
import type { DepartmentRead } from "@/api/generated";

export interface Branch {
  department: DepartmentRead;
  /** 1 at the top. */
  level: number;
  /** Active people in it and everything below it. */
  everybody: number;
  children: number;
}

/** Every department below the one it belongs to, those of one level by name. What belongs to none stands at the top. */
export function branches(departments: DepartmentRead[]): Branch[] {
  const known = new Set(departments.map((d) => d.id));
  const below = new Map<number | null, DepartmentRead[]>();
  for (const one of [...departments].sort((a, b) => a.name.localeCompare(b.name))) {
    const parent = one.parent && known.has(one.parent.id) ? one.parent.id : null;
    below.set(parent, [...(below.get(parent) ?? []), one]);
  }
  const walk = (parent: number | null, level: number): Branch[] =>
    (below.get(parent) ?? []).flatMap((department) => {
      const inner = walk(department.id, level + 1);
      const direct = inner.filter((b) => b.level === level + 1);
      const everybody = department.people_count + direct.reduce((sum, b) => sum + b.everybody, 0);
      return [{ department, level, everybody, children: direct.length }, ...inner];
    });
  return walk(null, 1);
}

/** A department and whatever lies below it: where it cannot be put. */
export function within(departments: DepartmentRead[], id: number): Set<number> {
  const found = new Set([id]);
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const one of departments) if (one.parent && found.has(one.parent.id)) found.add(one.id);
  }
  return found;
}
