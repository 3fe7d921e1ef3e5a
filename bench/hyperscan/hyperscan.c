/*
 * Scans a text for patterns with Hyperscan, as a yardstick for package content:
 *
 *	hyperscan PATTERNS TEXT SECONDS
 *
 * PATTERNS holds one expression a line. The text is scanned again and again in
 * blocks of 256 KiB until so much processor time has gone by. Prints the time to
 * compile in seconds, the speed in MB a second of processor time, and the
 * matches of one pass.
 */
#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK (256 << 10)

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static char *slurp(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0) {
		perror(name);
		exit(1);
	}
	*size = ftell(f);
	rewind(f);
	char *data = malloc(*size + 1);
	if (!data || fread(data, 1, *size, f) != *size) {
		perror(name);
		exit(1);
	}
	fclose(f);
	data[*size] = 0;
	return data;
}

static int count(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *found)
{
	(void)id, (void)from, (void)to, (void)flags;
	++*(unsigned long *)found;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: hyperscan PATTERNS TEXT SECONDS\n");
		return 2;
	}
	size_t size, length;
	char *patterns = slurp(argv[1], &size), *text = slurp(argv[2], &length);
	size_t n = 0;
	for (size_t i = 0; i < size; i++)
		n += patterns[i] == '\n';
	const char **list = malloc(n * sizeof *list);
	unsigned *flags = malloc(n * sizeof *flags), *ids = malloc(n * sizeof *ids);
	char *line = patterns;
	for (size_t i = 0; i < n; i++) {
		char *end = strchr(line, '\n');
		*end = 0;
		list[i] = line, flags[i] = HS_FLAG_CASELESS, ids[i] = i;
		line = end + 1;
	}
	double began = cpu();
	hs_database_t *db;
	hs_compile_error_t *error;
	if (hs_compile_multi(list, flags, ids, n, HS_MODE_BLOCK, NULL, &db, &error) != HS_SUCCESS) {
		fprintf(stderr, "hyperscan: %s\n", error->message);
		return 1;
	}
	double compiled = cpu() - began;
	hs_scratch_t *scratch = NULL;
	if (hs_alloc_scratch(db, &scratch) != HS_SUCCESS)
		return 1;
	unsigned long found = 0;
	double octets = 0, limit = atof(argv[3]);
	began = cpu();
	do {
		found = 0;
		for (size_t at = 0; at < length; at += BLOCK) {
			size_t part = length - at < BLOCK ? length - at : BLOCK;
			if (hs_scan(db, text + at, part, 0, scratch, count, &found) != HS_SUCCESS)
				return 1;
		}
		octets += length;
	} while (cpu() - began < limit);
	printf("%.4f %.1f %lu\n", compiled, octets / 1e6 / (cpu() - began), found);
	return 0;
}
