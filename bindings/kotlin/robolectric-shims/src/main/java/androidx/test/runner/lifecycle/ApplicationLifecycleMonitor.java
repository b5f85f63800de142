package androidx.test.runner.lifecycle;

/** Is told how far the application is; nobody asks it. */
public interface ApplicationLifecycleMonitor {}
