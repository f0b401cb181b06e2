// Prints "N passed, N failed, N skipped" from vitest's JSON report. A file that fails before its tests counts as one
// failure, and so does a run that fails without a failed test: what failed is never counted as nothing.
import { readFileSync } from "node:fs";

const text = readFileSync(process.argv[2], "utf8");
if (text === "") {
  console.log("The tests did not run: a check before them failed.");
  console.log("0 passed, 0 failed, 0 skipped");
} else {
  const report = JSON.parse(text);
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
  );
  const failed = report.numFailedTests + brokenFiles.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(
    `${report.numPassedTests} passed, ${report.success ? failed : Math.max(failed, 1)} failed, ${skipped} skipped`,
  );
}
