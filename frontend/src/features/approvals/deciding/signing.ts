import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Signing } from "@/api/generated";
import type { Laid, Lay } from "@/stores/stepUp";

/** Has laid before one what is signed: the very decision that is sent afterwards. */
export const laying =
  (body: Signing): Lay =>
  async (): Promise<Laid> => ({ decision: body.decision, ...(await data(api.layBefore({ body }))) });
