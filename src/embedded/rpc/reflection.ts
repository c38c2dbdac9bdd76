/** Server reflection, v1 and v1alpha: tools can ask what the level has. */
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import type { Level } from "../../spec/versions.ts";
import { levelDescriptors } from "./descriptors.ts";

/** Registers both versions; they show these methods (`/package.Service/Method`) and the messages of the level. */
export function registerReflection(server: Server, level: Level, methods: ReadonlySet<string>): void {
  // The package reads nothing else of what it calls a package definition.
  const definition = { level: { fileDescriptorProtos: levelDescriptors(level, methods) } };
  type Definition = ConstructorParameters<typeof ReflectionService>[0];
  new ReflectionService(definition as unknown as Definition).addToServer(server);
}
