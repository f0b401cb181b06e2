import { createRequire } from "node:module";
import { dirname } from "node:path";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { protoPath as healthProtoPath } from "grpc-health-check";

/** Server reflection, v1 and v1alpha, over the .proto files that the proto package ships. */
export function reflectionService(): ReflectionService {
  const protoFolder = dirname(createRequire(import.meta.url).resolve("@headgate/proto/package.json"));
  const files = ["headgate/v1/code_location.proto", healthProtoPath];
  const definition = loadSync(files, {
    includeDirs: [protoFolder],
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
  });
  return new ReflectionService(definition);
}
