/* Takes one rule's line out of a build, so that a test can prove that somebody notices (docs/testing.md, Mutations).
 *
 * In every normal build RULE_HOLDS(name, x) and RULE_FORBIDS(name, x) are (x) and RULE_KEPT(name) is true: the compiler
 * sees a constant and nothing is left of it. A file compiled with -DMUTATION_<name> is without that line:
 *
 *   if (RULE_FORBIDS(rule_04_older_view_is_refused, push->view < r->view.number))   never forbids
 *   must(RULE_HOLDS(rule_01_acknowledge_last, op <= r->commit))                    always holds
 *   if (RULE_KEPT(rule_08_answer_raises_the_floor)) router->floor = op;            not done
 *
 * A name stands in tests/mutation/mutations too, may stand on several lines that keep the same promise (the assert
 * beside the check), and never in a header: only the files that name it are compiled again. */
#pragma once

#include <stdbool.h>

/* 1 when MUTATION_<name> is defined (as 1), else 0: with it the paste below becomes two arguments instead of one. */
#define RULE_ARGUMENT_1 0,
#define RULE_SECOND_(ignored, value, ...) value
#define RULE_DEFINED__(argument) RULE_SECOND_(argument 1, 0, 0) /* NOLINT(bugprone-macro-parentheses): "0," or a name */
#define RULE_DEFINED_(value) RULE_DEFINED__(RULE_ARGUMENT_##value)
#define RULE_DEFINED(macro) RULE_DEFINED_(macro)
#define RULE_KEPT(name) (!RULE_DEFINED(MUTATION_##name))

#define RULE_HOLDS(name, condition) (!RULE_KEPT(name) || (condition))
#define RULE_FORBIDS(name, condition) (RULE_KEPT(name) && (condition))
