// For app teams: makes compass-core-android from this repository with Gradle and the Android Gradle Plugin, for example by
// `includeBuild("compass/bindings/kotlin")` in the app's settings. NEVER RUN in this repository, which builds and tests with Maven.
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        mavenLocal { content { includeGroup("dev.compass") } }
        google()
        mavenCentral()
    }
}

rootProject.name = "compass-core"
include(":compass-core-android")
