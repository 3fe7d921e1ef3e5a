/* A libmilter filter that does nothing: every callback is registered, every
 * answer is "continue". It is the yardstick of the bench.
 *
 *	noop unix:/path/of/socket [end]
 *
 * With "end" it asks for nothing but the end of each message: no filter that
 * may refuse mail costs an MTA less.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <libmilter/mfapi.h>

static sfsistat noop_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *addr)
{
	(void)ctx; (void)host; (void)addr;
	return SMFIS_CONTINUE;
}

static sfsistat noop_text(SMFICTX *ctx, char *text)
{
	(void)ctx; (void)text;
	return SMFIS_CONTINUE;
}

static sfsistat noop_args(SMFICTX *ctx, char **argv)
{
	(void)ctx; (void)argv;
	return SMFIS_CONTINUE;
}

static sfsistat noop_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx; (void)name; (void)value;
	return SMFIS_CONTINUE;
}

static sfsistat noop_body(SMFICTX *ctx, unsigned char *chunk, size_t len)
{
	(void)ctx; (void)chunk; (void)len;
	return SMFIS_CONTINUE;
}

static sfsistat noop_plain(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		.xxfi_name = "noop",
		.xxfi_version = SMFI_VERSION,
		.xxfi_connect = noop_connect,
		.xxfi_helo = noop_text,
		.xxfi_envfrom = noop_args,
		.xxfi_envrcpt = noop_args,
		.xxfi_header = noop_header,
		.xxfi_eoh = noop_plain,
		.xxfi_body = noop_body,
		.xxfi_eom = noop_plain,
		.xxfi_abort = noop_plain,
		.xxfi_close = noop_plain,
	};

	struct smfiDesc end = {
		.xxfi_name = "noop",
		.xxfi_version = SMFI_VERSION,
		.xxfi_eom = noop_plain,
	};
	int only_end = argc == 3 && strcmp(argv[2], "end") == 0;

	if (argc != 2 && !only_end) {
		fprintf(stderr, "usage: noop unix:/path/of/socket [end]\n");
		return EX_USAGE;
	}
	if (smfi_setconn(argv[1]) == MI_FAILURE || smfi_register(only_end ? end : filter) == MI_FAILURE) {
		fprintf(stderr, "noop: cannot use %s\n", argv[1]);
		return EX_UNAVAILABLE;
	}
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
