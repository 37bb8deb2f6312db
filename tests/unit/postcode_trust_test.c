/* Whom curl, the command, would trust is trusted: the places that its variables name, in its order, and nobody else; and who
 * has no certificates at all hears so at the start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_log.h"
#include "support_postcode_check.h"
#include "support_scratch.h"

struct tls {
	char directory[SCRATCH_PATH_SIZE];
	pid_t pid;
	int port;
};

static void run(const char *directory, const char *command)
{
	char line[SCRATCH_PATH_SIZE + 600];

	snprintf(line, sizeof line, "cd %s && %s", directory, command);
	if (system(line) != 0)
		fail_msg("failed: %s", command);
}

static int listening_port(int output)
{
	char text[512] = "";
	size_t size = 0;
	char *accept;

	while (!(accept = strstr(text, "ACCEPT ")) || !strchr(accept, '\n')) {
		ssize_t got = read(output, text + size, sizeof text - 1 - size);
		if (got <= 0)
			fail_msg("openssl s_server: %s", text);
		size += (size_t)got;
		text[size] = '\0';
	}
	return atoi(strrchr(accept, ':') + 1);
}

/* A provider with a certificate that it signed itself: cert.pem is the bundle that vouches for it, by-hash/ the directory,
 * empty/ a directory of no certificates, others/ one of somebody else's. */
static void tls_start(struct tls *tls)
{
	int output[2];

	scratch_new(tls->directory);
	run(tls->directory, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem "
			    "-days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null");
	run(tls->directory, "mkdir -p by-hash empty others postcodes/DH1%203LE && : >others/00000000.0 && "
			    "cp cert.pem by-hash/$(openssl x509 -hash -noout -in cert.pem).0 && "
			    "printf 'HTTP/1.0 200 OK\\r\\n\\r\\n{\"status\":200,\"result\":true}' >postcodes/DH1%203LE/validate");
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	tls->pid = fork();
	if (tls->pid == 0) {
		dup2(output[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
		dup2(STDIN_FILENO, STDERR_FILENO);
		if (chdir(tls->directory) == 0)
			execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key",
			       "key.pem", "-HTTP", (char *)NULL);
		_exit(1);
	}
	close(output[1]);
	tls->port = listening_port(output[0]);
	close(output[0]);
}

static void tls_stop(struct tls *tls)
{
	kill(tls->pid, SIGKILL);
	waitpid(tls->pid, NULL, 0);
	scratch_remove(tls->directory);
}

/* One path below that directory, or two with a colon between. */
static void set_paths(const char *name, const char *directory, const char *paths)
{
	const char *second = paths ? strchr(paths, ':') : NULL;
	char value[2 * SCRATCH_PATH_SIZE + 32];

	if (!paths) {
		unsetenv(name);
		return;
	}
	if (second)
		snprintf(value, sizeof value, "%s/%.*s:%s/%s", directory, (int)(second - paths), paths, directory,
			 second + 1);
	else
		snprintf(value, sizeof value, "%s/%s", directory, paths);
	setenv(name, value, 1);
}

/* A bundle alone (slim containers), a directory alone, either beside the other's, also where that vouches for nobody here;
 * CURL_CA_BUNDLE and none else; nothing. */
static void test_who_is_trusted(void **state)
{
	static const struct {
		const char *file, *directory, *bundle;
		enum postcode_verdict expected;
	} table[] = {
		{"cert.pem", "empty", NULL, POSTCODE_EXISTS},
		{"nothing.pem", "by-hash", NULL, POSTCODE_EXISTS},
		{"cert.pem", "by-hash", NULL, POSTCODE_EXISTS},
		{"cert.pem", NULL, NULL, POSTCODE_EXISTS},
		{NULL, "by-hash", NULL, POSTCODE_EXISTS},
		{NULL, "by-hash:nowhere", NULL, POSTCODE_EXISTS},
		{NULL, "empty:by-hash", NULL, POSTCODE_EXISTS},
		{"cert.pem", "others", NULL, POSTCODE_EXISTS},
		{"nothing.pem", "empty", "cert.pem", POSTCODE_EXISTS},
		{"key.pem", "by-hash", NULL, POSTCODE_EXISTS},
		{"key.pem", "empty", NULL, POSTCODE_UNREACHABLE},
		{"nothing.pem", "empty", NULL, POSTCODE_UNREACHABLE},
		{"nothing.pem", "others", NULL, POSTCODE_UNREACHABLE},
		{"cert.pem", "empty", "nothing.pem", POSTCODE_UNREACHABLE},
		{NULL, "by-hash", "nothing.pem", POSTCODE_UNREACHABLE},
		{NULL, NULL, NULL, POSTCODE_UNREACHABLE}, /* last: it leaves no variable set */
	};
	struct postcode_options options = postcode_options_default();
	char base[64];
	struct tls tls;

	(void)state;
	tls_start(&tls);
	listen_to_log();
	snprintf(base, sizeof base, "https://127.0.0.1:%d", tls.port);
	options.mode = POSTCODE_STRICT;
	options.postcodes_io = base;
	options.getthedata = "http://127.0.0.1:1";
	options.deadline_ms = 10000; /* a thousand seconds */
	for (size_t i = 0, complaints = 0; i < sizeof table / sizeof table[0]; i++) {
		set_paths("SSL_CERT_FILE", tls.directory, table[i].file);
		set_paths("SSL_CERT_DIR", tls.directory, table[i].directory);
		set_paths("CURL_CA_BUNDLE", tls.directory, table[i].bundle);
		struct postcode_checker *checker = checker_of(&options);
		if (verdict_of(checker, "DH1 3LE") != table[i].expected)
			fail_msg("%s, %s, %s:\n%s", table[i].file, table[i].directory, table[i].bundle, log_text());
		complaints += table[i].expected == POSTCODE_UNREACHABLE;
		assert_int_equal(lines_with("provider=postcodes.io reason=certificate"), complaints);
		postcode_checker_free(checker);
	}
	tls_stop(&tls);
}

/* Who has no certificates hears it at the start, and what to install; who asks without TLS does not. */
static void test_no_certificates_are_missed_at_the_start(void **state)
{
	struct postcode_options options = postcode_options_default();

	(void)state;
	listen_to_log();
	setenv("SSL_CERT_FILE", "/nowhere/bundle.pem", 1);
	setenv("SSL_CERT_DIR", "/", 1); /* a directory, and no certificate in it */
	struct postcode_checker *checker = checker_with(POSTCODE_AUTO, "", "");
	postcode_checker_announce(checker);
	assert_int_equal(lines_with("certificates"), 0);
	postcode_checker_free(checker);
	checker = checker_of(&options);
	postcode_checker_announce(checker);
	assert_said("no certificates of authorities in /nowhere/bundle.pem and /, so");
	assert_said("install the package ca-certificates");
	postcode_checker_free(checker);
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_who_is_trusted, stop_listening),
		cmocka_unit_test_teardown(test_no_certificates_are_missed_at_the_start, stop_listening),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, start_provider, stop_provider);
}
