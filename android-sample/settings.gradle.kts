// For Android Studio: open this folder. NEVER RUN in this repository, which builds and tests with Maven.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "compass-sample"
include(":state", ":app")

// The Kotlin package of this repository. An app of your own takes it as it takes every other dependency.
includeBuild("../bindings/kotlin")
