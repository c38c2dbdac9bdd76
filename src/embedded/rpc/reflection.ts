/** Server reflection, v1 and v1alpha: tools can ask what the level has. */
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { emptyServices, levelDescriptors } from "./descriptors.ts";

/** Registers both versions; they show these methods (`/package.Service/Method`), the messages of the level, and names of services beyond the API. */
export function registerReflection(server: Server, behaviour: Behaviour, methods: ReadonlySet<string>): void {
  const { level, vendorServices } = behaviour;
  // The package reads nothing else of what it calls a package definition.
  const definition = {
    level: { fileDescriptorProtos: [...levelDescriptors(level, methods), ...emptyServices(vendorServices)] },
  };
  type Definition = ConstructorParameters<typeof ReflectionService>[0];
  new ReflectionService(definition as unknown as Definition).addToServer(server);
}
