/* kit ops | op NAME [CASE] | graph CASE PRECISION | rates | describe FILE | input FILE N C H W [SCALE] | compare GOT
 * WANTED | repeat MODEL PRECISION SIDE RUNS | plans FOLDER | fault */
#include "kit.h"

#include <stdio.h>
#include <string.h>

/* kit_ops.h, written by the build: KIT_OP(name) for each case list of tests/ops. */
#define KIT_OP(name) int kit_op_##name(int argc, char **argv);
#include "kit_ops.h"
#undef KIT_OP

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} ops[] = {
#define KIT_OP(name) {#name, kit_op_##name},
#include "kit_ops.h"
#undef KIT_OP
};

static int run_op(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].name, name) == 0) {
            return ops[i].run(argc, argv);
        }
    }
    fprintf(stderr, "no op %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "ops") == 0) {
        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
            printf("%s\n", ops[i].name);
        }
        return 0;
    }
    if (strcmp(command, "op") == 0 && argc > 2) {
        return run_op(argv[2], argc - 2, argv + 2);
    }
    if (strcmp(command, "graph") == 0 && argc > 2) {
        return kit_graph(argc - 1, argv + 1);
    }
    if (strcmp(command, "rates") == 0) {
        return kit_rates();
    }
    if (strcmp(command, "describe") == 0 && argc > 2) {
        return kit_describe(argv[2]);
    }
    if (strcmp(command, "input") == 0 && argc > 6) {
        return kit_input(argv[2], argv + 3, argc > 7 ? argv[7] : NULL);
    }
    if (strcmp(command, "compare") == 0 && argc > 3) {
        return kit_compare(argv[2], argv[3]);
    }
    if (strcmp(command, "repeat") == 0 && argc > 5) {
        return kit_repeat(argv + 2);
    }
    if (strcmp(command, "plans") == 0 && argc > 2) {
        return kit_plans(argv[2]);
    }
    if (strcmp(command, "fault") == 0) {
        return kit_fault();
    }
    fprintf(stderr, "usage: kit ops | op NAME [CASE] | graph CASE PRECISION | rates | describe FILE |\n"
                    "           input FILE N C H W [SCALE] | compare GOT WANTED |\n"
                    "           repeat MODEL PRECISION SIDE RUNS | plans FOLDER | fault\n");
    return 2;
}
