/** Where the parts of a workflow's picture stand. Comes with the canvas only: its library is not small. */
import dagre from "@dagrejs/dagre";
import type { Graph } from "./graph";

export interface Point {
  x: number;
  y: number;
}

/** The upper left corner of each node, from top to bottom. */
export function layoutOf({ nodes, edges }: Graph): Map<string, Point> {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", ranksep: 44, nodesep: 32 });
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  // The way past a stage bends around it and moves nothing: the main way stays one line.
  for (const { id, from, to, kind } of edges)
    if (kind !== "otherwise") graph.setEdge(from, to, { weight: 10 }, id);
  dagre.layout(graph);
  return new Map(
    nodes.map(({ id, width, height }) => {
      const { x, y } = graph.node(id) as Point;
      return [id, { x: x - width / 2, y: y - height / 2 }];
    }),
  );
}
