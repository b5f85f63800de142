package androidx.test.runner.lifecycle;

/** Is notified of the application's stage; nothing reads it. */
public interface ApplicationLifecycleMonitor {}
