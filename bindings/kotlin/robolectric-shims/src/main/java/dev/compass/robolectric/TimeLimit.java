package dev.compass.robolectric;

import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.runner.Description;
import org.junit.runner.notification.RunListener;

/**
 * A test that does not end fails, with its name and the stack of each thread in the log; the others go on. JUnit 4 can do that only for
 * tests on threads of its own, and these run on Robolectric's main thread. The parent's {@code pom.xml} names this class to surefire.
 *
 * <p>The test's thread is interrupted, which ends waits in Java. If the test still does not end, the process ends, and surefire names the
 * class.
 */
public final class TimeLimit extends RunListener {
    /** How long a test may take, in seconds. No wait in a test is longer than 120. */
    private static final long SECONDS = Long.getLong("test.limit.seconds", 180);

    private static final int OUT_OF_TIME = 70;

    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(run -> {
        Thread thread = new Thread(run, "time-limit");
        thread.setDaemon(true);
        return thread;
    });

    private ScheduledFuture<?> first;
    private ScheduledFuture<?> last;

    @Override
    public synchronized void testStarted(Description test) {
        Thread runner = Thread.currentThread();
        first = watch.schedule(() -> interrupt(test, runner), SECONDS, TimeUnit.SECONDS);
        last = watch.schedule(() -> endProcess(test), 2 * SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public synchronized void testFinished(Description test) {
        first.cancel(false);
        last.cancel(false);
    }

    private static void interrupt(Description test, Thread runner) {
        Map<Thread, StackTraceElement[]> threads = Thread.getAllStackTraces();
        StringBuilder report = new StringBuilder("This test has not ended in " + SECONDS + " s and is interrupted: " + test.getDisplayName() + "\n");
        threads.forEach((thread, stack) -> {
            report.append('"').append(thread.getName()).append("\" ").append(thread.getState()).append('\n');
            for (StackTraceElement call : stack) report.append("    at ").append(call).append('\n');
        });
        System.err.println(report);
        threads.keySet().stream().filter(TimeLimit::isMain).findFirst().orElse(runner).interrupt();
    }

    private static void endProcess(Description test) {
        System.err.println("This test does not end, so the process ends: " + test.getDisplayName());
        Runtime.getRuntime().halt(OUT_OF_TIME);
    }

    /** Whether Robolectric runs tests on it. */
    private static boolean isMain(Thread thread) {
        return thread.getName().matches("SDK \\d+ Main Thread");
    }
}
