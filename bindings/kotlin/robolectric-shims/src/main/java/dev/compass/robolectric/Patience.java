package dev.compass.robolectric;

import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.runner.Description;
import org.junit.runner.notification.RunListener;

/**
 * A test that stands still fails, with its name and with what each thread does in the log; the others go on. JUnit 4 can do that only for
 * tests on threads of its own, and these run on Robolectric's main thread. Named to surefire in the parent's {@code pom.xml}.
 *
 * <p>The test's thread is interrupted, which ends what waits in Java. What does not end even so takes the process along: surefire names the
 * class then.
 */
public final class Patience extends RunListener {
    /** How long a test may take, in seconds. No wait in a test is longer than 120. */
    private static final long SECONDS = Long.getLong("test.patience.seconds", 180);

    private static final int GIVEN_UP = 70;

    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(run -> {
        Thread thread = new Thread(run, "patience");
        thread.setDaemon(true);
        return thread;
    });

    private ScheduledFuture<?> first;
    private ScheduledFuture<?> last;

    @Override
    public synchronized void testStarted(Description test) {
        Thread runner = Thread.currentThread();
        first = watch.schedule(() -> interrupt(test, runner), SECONDS, TimeUnit.SECONDS);
        last = watch.schedule(() -> giveUp(test), 2 * SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public synchronized void testFinished(Description test) {
        first.cancel(false);
        last.cancel(false);
    }

    private static void interrupt(Description test, Thread runner) {
        Map<Thread, StackTraceElement[]> threads = Thread.getAllStackTraces();
        StringBuilder said = new StringBuilder("This test has not ended in " + SECONDS + " s and is interrupted: " + test.getDisplayName() + "\n");
        threads.forEach((thread, stack) -> {
            said.append('"').append(thread.getName()).append("\" ").append(thread.getState()).append('\n');
            for (StackTraceElement call : stack) said.append("    at ").append(call).append('\n');
        });
        System.err.println(said);
        threads.keySet().stream().filter(Patience::isMain).findFirst().orElse(runner).interrupt();
    }

    private static void giveUp(Description test) {
        System.err.println("This test does not end and takes the others along: " + test.getDisplayName());
        Runtime.getRuntime().halt(GIVEN_UP);
    }

    /** Whether it is the one on which Robolectric runs tests. */
    private static boolean isMain(Thread thread) {
        return thread.getName().matches("SDK \\d+ Main Thread");
    }
}
