/* The ways in which `clkl inspect` reports. */
#ifndef CLKL_CLI_INSPECT_REPORT_H
#define CLKL_CLI_INSPECT_REPORT_H

#include "inspection.h"

#include <stdio.h>

/* For people: what was found, in sentences and numbers. */
void inspect_report_facts(FILE *to, const struct inspection *inspection);

/* For people: rows with bars, map, histogram. */
void inspect_report_charts(FILE *to, const struct inspection *inspection);

/* The map of the positions, or their profile; nothing without positions. */
void inspect_report_positions(FILE *to, const struct inspection *inspection);

/* For programs, as one object of the schema "clkl-inspect-1", which the manual documents
 * (docs/clkl.1.in). Numbers have 17 significant digits. Prints nothing if it fails, which it says.
 */
bool inspect_report_json(FILE *to, const struct inspection *inspection);

/* For spreadsheets: a line "quantity,index,value" for each number, as the manual says. */
void inspect_report_csv(FILE *to, const struct inspection *inspection);

#endif
